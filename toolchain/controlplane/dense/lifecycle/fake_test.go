package lifecycle

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// world stands for the machine: who holds which port, and what was started and stopped on it.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	files   map[string]settings.Instance
	ports   map[int]string
	starts  map[string]int
	running map[string]*fake
	fail    map[string]error
	hold    chan struct{} // a start, and a stop, goes on when it can be received from; nil: at once
	highest int           // how many were started or stopped at once, at most
	busy    int
}

type fake struct {
	world    *world
	instance settings.Instance
	ended    chan struct{}
	once     sync.Once
	err      error
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, files: map[string]settings.Instance{}, ports: map[int]string{}, starts: map[string]int{},
		running: map[string]*fake{}, fail: map[string]error{},
	}
}

func (w *world) host(parallelism int) *Host {
	return NewHost(settings.Config{Parallelism: parallelism}, w.load, w.start)
}

func (w *world) load() (map[string]settings.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.files), nil
}

// put writes the file of an instance; another label is another file.
func (w *world) put(name string, port int, label string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[name] = settings.Instance{Name: name, SecurePort: port, ServiceAccountIssuer: label}
}

func (w *world) remove(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.files, name)
}

func (w *world) step() func() {
	w.mu.Lock()
	w.busy++
	w.highest = max(w.highest, w.busy)
	w.mu.Unlock()
	if w.hold != nil {
		<-w.hold
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.busy--
	}
}

func (w *world) start(instance settings.Instance) (ControlPlane, error) {
	w.mu.Lock()
	w.starts[instance.Name]++
	holder, taken := w.ports[instance.SecurePort]
	if !taken {
		w.ports[instance.SecurePort] = instance.Name
	}
	err := w.fail[instance.Name]
	w.mu.Unlock()
	if taken {
		w.t.Errorf("%s was started while %s had its port", instance.Name, holder)
		return nil, fmt.Errorf("port %d is in use", instance.SecurePort)
	}
	defer w.step()()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		delete(w.ports, instance.SecurePort)
		return nil, err
	}
	up := &fake{world: w, instance: instance, ended: make(chan struct{})}
	w.running[instance.Name] = up
	return up, nil
}

func (f *fake) Ended() <-chan struct{} { return f.ended }

func (f *fake) Err() error { return f.err }

func (f *fake) Stop() {
	defer f.world.step()()
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	if f.world.running[f.instance.Name] != f {
		f.world.t.Errorf("%s was stopped twice", f.instance.Name)
	}
	delete(f.world.running, f.instance.Name)
	delete(f.world.ports, f.instance.SecurePort)
	f.once.Do(func() { close(f.ended) })
}

// die ends it from within.
func (f *fake) die(text string) {
	f.err = errors.New(text)
	f.once.Do(func() { close(f.ended) })
}

func (w *world) up(name string) *fake {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running[name]
}

func (w *world) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[name]
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}
