package lifecycle

import (
	"time"

	"k8s.io/klog/v2"
)

// looks is how often, within the time after which it sleeps, a control plane is asked whether anybody uses it.
const looks = 10

// doze has a control plane sleep once nobody has used it for long enough. It ends with it.
func (p *plane) doze(up Sleeper) {
	ticker := time.NewTicker(p.idle / looks)
	defer ticker.Stop()
	for {
		select {
		case <-up.Ended():
			return
		case <-ticker.C:
			if up.Quiet() >= p.idle && p.fallAsleep(up) {
				return
			}
		}
	}
}

// fallAsleep is false when it is used again.
func (p *plane) fallAsleep(up Sleeper) bool {
	p.operation <- struct{}{}
	defer func() { <-p.operation }()
	if p.running != ControlPlane(up) || !p.isWanted() {
		return true
	}
	p.limit.enter()
	defer p.limit.leaveWithin(longestStop)()
	if up.Quiet() < p.idle {
		return false
	}
	p.mu.Lock()
	p.status.State, p.status.Error, p.roused = Stopping, "", time.Time{}
	p.mu.Unlock()
	sleeping := up.Sleep()
	p.running, p.sleeping = nil, sleeping
	p.mu.Lock()
	p.status.State = Asleep
	p.mu.Unlock()
	klog.V(2).InfoS("Control plane sleeps", "controlPlane", p.instance.Name)
	go p.listen(sleeping)
	return true
}

// listen wakes it when somebody connects.
func (p *plane) listen(sleeping Sleeping) {
	<-sleeping.Knocked()
	p.operation <- struct{}{}
	still := p.sleeping == sleeping
	if still {
		p.mu.Lock()
		p.rouse()
		p.mu.Unlock()
	}
	<-p.operation
	if still {
		p.settle()
	}
}

// rouse says that it is not to sleep on; the caller holds the lock. The first time counts.
func (p *plane) rouse() {
	if p.roused.IsZero() {
		p.roused = time.Now()
	}
}

func (p *plane) isRoused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.roused.IsZero()
}
