package dense

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// State is where a control plane stands.
type State string

// The states, as the admin server tells them.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
	Stopped  State = "stopped"
	Failed   State = "failed"
)

// Status is what the admin server tells about one instance.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Error is why the state is failed, else empty.
	Error string `json:"error"`
	// ReadySeconds is how long the last start took until all three components ran; 0 before.
	ReadySeconds float64 `json:"ready_seconds"`
}

// A control plane that failed, unasked, is started again after a pause: the first, doubled with every failure up to the
// longest, and the first again once it has run for as long as the longest.
const (
	firstPause   = 5 * time.Second
	longestPause = 2 * time.Minute
)

// plane is one control plane. Its start and stop exclude each other: upstream ends the whole process when an API server
// is stopped while its start hooks run.
type plane struct {
	etcd     Etcd
	instance Instance
	again    func(*plane) // starts it once more, unless that is no longer wanted

	operation sync.Mutex // held while it starts or stops
	running   *running   // guarded by operation

	mu      sync.Mutex
	status  Status
	pause   time.Duration // before it is started again
	waiting bool          // a start is on its way
}

// running is what a started control plane holds.
type running struct {
	server *apiServer
	cancel context.CancelFunc // ends controllers and scheduler
	waits  []func()
	since  time.Time     // when it became ready
	asked  chan struct{} // closed when the end was asked for
}

func newPlane(etcd Etcd, instance Instance, again func(*plane)) *plane {
	return &plane{
		etcd: etcd, instance: instance, again: again, pause: firstPause,
		status: Status{Name: instance.Name, State: Starting},
	}
}

// Status is the state as of now.
func (p *plane) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *plane) set(state State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.State, p.status.Error = state, ""
}

// fail tells why it does not run, and has it started again after a pause.
func (p *plane) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.State, p.status.Error = Failed, err.Error()
	klog.ErrorS(err, "Control plane failed", "controlPlane", p.instance.Name, "startAgainAfter", p.pause)
	if p.waiting {
		return
	}
	p.waiting = true
	time.AfterFunc(p.pause, func() {
		p.mu.Lock()
		p.waiting = false
		p.mu.Unlock()
		p.again(p)
	})
	p.pause = min(2*p.pause, longestPause)
}

// Start brings the control plane up and returns when it is ready or has failed. One that runs is left alone.
func (p *plane) Start(limit *gate) {
	p.operation.Lock()
	defer p.operation.Unlock()
	if p.running != nil {
		return
	}
	p.set(Starting)
	limit.enter()
	defer limit.leave()
	began := time.Now()
	started, err := p.bringUp()
	if err != nil {
		p.fail(err)
		return
	}
	started.since = time.Now()
	p.running = started
	p.mu.Lock()
	p.status.ReadySeconds = time.Since(began).Seconds()
	p.mu.Unlock()
	p.set(Ready)
	go p.watch(started)
}

// bringUp starts the three components in order; what was started is stopped again when a later one fails.
func (p *plane) bringUp() (*running, error) {
	server, err := startAPIServer(p.etcd, p.instance)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(),
		klog.LoggerWithValues(klog.Background(), "controlPlane", p.instance.Name)))
	up := &running{server: server, cancel: cancel, asked: make(chan struct{})}
	if err := server.waitReady(ctx); err != nil {
		up.end()
		return nil, err
	}
	parts := []func(context.Context, Instance) (func(), error){}
	if len(p.instance.Controllers) > 0 {
		parts = append(parts, startControllers)
	}
	if p.instance.SchedulerKubeconfig != "" {
		parts = append(parts, startScheduler)
	}
	for _, start := range parts {
		wait, err := start(ctx, p.instance)
		if err != nil {
			up.end()
			return nil, err
		}
		up.waits = append(up.waits, wait)
	}
	return up, nil
}

// watch notices a server that ends without being asked, and has the control plane started again.
func (p *plane) watch(up *running) {
	<-up.server.ended
	select {
	case <-up.asked:
		return
	default:
	}
	p.operation.Lock()
	defer p.operation.Unlock()
	if p.running == up {
		up.end()
		p.running = nil
		if time.Since(up.since) > longestPause {
			p.mu.Lock()
			p.pause = firstPause
			p.mu.Unlock()
		}
		err := up.server.err
		if err == nil {
			err = errors.New("its API server ended without an error")
		}
		p.fail(err)
	}
}

// Stop ends the control plane and returns when its port and connections are free; its memory follows (see gate).
func (p *plane) Stop(limit *gate) {
	p.operation.Lock()
	defer p.operation.Unlock()
	limit.enter()
	defer limit.leave()
	if p.running != nil {
		p.set(Stopping)
		p.running.end()
		p.running = nil
	}
	p.set(Stopped)
}

// end stops scheduler and controllers first, so that they do not fill the log with refused connections.
func (r *running) end() {
	close(r.asked)
	r.cancel()
	for _, wait := range r.waits {
		wait()
	}
	r.server.stop()
}
