package lifecycle

import (
	"errors"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// State is where a control plane stands.
type State string

// The states, as the admin server reports them.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
	Stopped  State = "stopped"
	Failed   State = "failed"
	// Asleep is one that nobody uses: a connection wakes it.
	Asleep State = "asleep"
)

// Status is what the admin server reports about one instance.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Error is why the state is failed, else empty.
	Error string `json:"error"`
	// ReadySeconds is how long the last start took until all three components ran; 0 before.
	ReadySeconds float64 `json:"ready_seconds"`
	// Wakes is how often a connection woke it, WakeSeconds how long those that came waited in sum until it was ready.
	Wakes       int     `json:"wakes"`
	WakeSeconds float64 `json:"wake_seconds"`
}

// ControlPlane is one that runs.
type ControlPlane interface {
	// Ended is closed when it has ended, whether it was stopped or not.
	Ended() <-chan struct{}
	// Err is why it ended; valid once Ended is closed.
	Err() error
	// Stop ends it, and what is left of one that ended; it returns when its port and connections are free.
	Stop()
}

// Sleeper is a control plane that can leave its port to something small.
type Sleeper interface {
	ControlPlane
	// Quiet is how long it has had no connection; 0 while it has one.
	Quiet() time.Duration
	// Sleep ends it as Stop does, but for its port: who connects waits.
	Sleep() Sleeping
}

// Sleeping is what is left of a control plane that sleeps.
type Sleeping interface {
	// Knocked is closed when somebody has connected, by Close, and by a Wake that went well.
	Knocked() <-chan struct{}
	// Wake brings it up at the same port and returns when it is ready; who waits is served. After an error it may be
	// tried again.
	Wake() (ControlPlane, error)
	// Close frees the port.
	Close()
}

// Starter brings up the control plane of an instance and returns when it is ready.
type Starter func(settings.Instance) (ControlPlane, error)

// A control plane that failed is started again after a pause: the first, doubled with every failure up to the longest,
// and the first again once it has run for as long as the longest.
const (
	firstPause   = 5 * time.Second
	longestPause = 2 * time.Minute
)

// One that has not started or stopped after so long hangs. Others no longer wait for its slot.
const (
	longestStart = 10 * time.Minute
	longestStop  = time.Minute
)

// plane is one control plane: whether it is wanted, and what runs. Whoever changes what is wanted settles the plane
// afterwards; settling is what starts and stops, one at a time: upstream ends the whole process when an API server is
// stopped while its start hooks run. So the last order wins, and nothing starts what is not wanted.
type plane struct {
	instance settings.Instance
	start    Starter
	limit    *gate
	before   []*plane      // these leave, and their port or prefix may be this one's
	idle     time.Duration // it sleeps after so long without a connection; 0: never

	operation chan struct{} // a lock of one slot, held while it starts or stops; guards the three below
	running   ControlPlane
	sleeping  Sleeping  // instead of running, while it sleeps
	since     time.Time // when it became ready

	gone chan struct{} // closed when it has left

	mu       sync.Mutex
	status   Status
	wanted   bool
	left     bool          // it is not wanted again, ever
	pause    time.Duration // before it is started again
	retrying bool          // a start is on its way
	roused   time.Time     // somebody connected while it slept, or requested its start; zero once it is up
}

// newPlane makes one that is wanted; settle starts it.
func newPlane(instance settings.Instance, start Starter, limit *gate, before []*plane, idle time.Duration) *plane {
	return &plane{
		instance: instance, start: start, limit: limit, before: before, idle: idle,
		operation: make(chan struct{}, 1), gone: make(chan struct{}), wanted: true, pause: firstPause,
		status: Status{Name: instance.Name, State: Starting},
	}
}

// Status is the state as of now.
func (p *plane) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Start brings the control plane up and returns when it is ready or has failed, or when somebody stops it meanwhile. One
// that runs is left alone.
func (p *plane) Start() {
	p.mu.Lock()
	p.wanted = !p.left
	p.rouse()
	if p.wanted && (p.status.State == Stopped || p.status.State == Failed) {
		p.status.State, p.status.Error = Starting, ""
	}
	p.mu.Unlock()
	p.settle()
}

// Stop ends the control plane and returns when its port and connections are free; its memory follows (see gate).
func (p *plane) Stop() {
	p.mu.Lock()
	p.wanted = false
	p.mu.Unlock()
	p.settle()
}

// dismiss makes it unwanted for good; leave must follow.
func (p *plane) dismiss() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.left = false, true
}

// leave ends one that was dismissed.
func (p *plane) leave() {
	p.settle()
	close(p.gone)
}

// settle starts or stops until what runs is what is wanted, or a start fails. It waits for those that are before it.
func (p *plane) settle() {
	for _, other := range p.before {
		<-other.gone
	}
	p.operation <- struct{}{}
	defer func() { <-p.operation }()
	for {
		switch wanted := p.isWanted(); {
		case wanted && p.running == nil && (p.sleeping == nil || p.isRoused()):
			if !p.bringUp() {
				return
			}
		case !wanted && p.running != nil:
			p.takeDown()
		case !wanted && p.sleeping != nil:
			p.sleeping.Close()
			p.sleeping = nil
		case wanted || p.rests():
			return
		}
	}
}

func (p *plane) isWanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wanted
}

// rests says that it is stopped, unless it is wanted again.
func (p *plane) rests() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted {
		p.status.State, p.status.Error = Stopped, ""
	}
	return !p.wanted
}

// begins says that it starts, if that is still wanted now that it is its turn.
func (p *plane) begins() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		p.status.State, p.status.Error = Starting, ""
	}
	return p.wanted
}

// bringUp is false when the start failed.
func (p *plane) bringUp() bool {
	p.limit.enter()
	defer p.limit.leaveWithin(longestStart)()
	if !p.begins() {
		return true
	}
	began := time.Now()
	up, err := p.open()
	if err != nil {
		p.fail(err)
		return false
	}
	p.running, p.since = up, time.Now()
	p.mu.Lock()
	p.status.State, p.status.ReadySeconds = Ready, p.since.Sub(began).Seconds()
	if p.sleeping != nil {
		p.status.Wakes++
		p.status.WakeSeconds += p.since.Sub(p.roused).Seconds()
	}
	p.roused = time.Time{}
	p.mu.Unlock()
	p.sleeping = nil
	go p.watch(up)
	if sleeper, can := up.(Sleeper); can && p.idle > 0 {
		go p.doze(sleeper)
	}
	return true
}

// open starts it, or wakes it.
func (p *plane) open() (ControlPlane, error) {
	if p.sleeping != nil {
		return p.sleeping.Wake()
	}
	return p.start(p.instance)
}

func (p *plane) takeDown() {
	p.limit.enter()
	defer p.limit.leaveWithin(longestStop)()
	p.mu.Lock()
	p.status.State, p.status.Error = Stopping, ""
	p.mu.Unlock()
	p.running.Stop()
	p.running = nil
}

// watch notices one that ends without being stopped, and has it started again.
func (p *plane) watch(up ControlPlane) {
	<-up.Ended()
	p.operation <- struct{}{}
	defer func() { <-p.operation }()
	if p.running != up {
		return
	}
	up.Stop()
	p.running = nil
	if time.Since(p.since) > longestPause {
		p.mu.Lock()
		p.pause = firstPause
		p.mu.Unlock()
	}
	err := up.Err()
	if err == nil {
		err = errors.New("its API server ended without an error")
	}
	p.fail(err)
}

// fail records why it does not run, and has it started again after a pause, if it is wanted then.
func (p *plane) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.State, p.status.Error = Failed, err.Error()
	klog.ErrorS(err, "Control plane failed", "controlPlane", p.instance.Name, "startAgainAfter", p.pause)
	if p.retrying {
		return
	}
	p.retrying = true
	time.AfterFunc(p.pause, func() {
		p.mu.Lock()
		p.retrying = false
		p.mu.Unlock()
		p.settle()
	})
	p.pause = min(2*p.pause, longestPause)
}
