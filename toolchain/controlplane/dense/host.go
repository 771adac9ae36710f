package dense

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/klog/v2"
)

// ErrUnknown is returned for a name that no file of the instances directory holds.
var ErrUnknown = errors.New("unknown instance")

// Changes are what a reload set going, by name.
type Changes struct {
	Started   []string `json:"started"`
	Restarted []string `json:"restarted"`
	Removed   []string `json:"removed"`
}

// Host holds the control planes of the process.
type Host struct {
	config Config
	limit  *gate // one slot per start or stop under way

	mu     sync.Mutex
	planes map[string]*plane
	ending bool
	work   sync.WaitGroup // starts and stops under way
}

// NewHost makes a host without control planes; Reload brings them.
func NewHost(config Config) *Host {
	return &Host{config: config, limit: newGate(config.Parallelism, config.Cores), planes: map[string]*plane{}}
}

// Reload reads the instances directory and sets going what differs: it returns before that is done. A wrong file changes
// nothing. An instance that was stopped by name stays stopped unless its file changed.
func (h *Host) Reload() (Changes, error) {
	wanted, err := LoadInstances(h.config.InstancesDir)
	if err != nil {
		return Changes{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ending {
		return Changes{}, errors.New("the host is ending")
	}
	changes := Changes{Started: []string{}, Restarted: []string{}, Removed: []string{}}
	freed := map[string]*plane{} // by name: old planes whose port or prefix may be wanted again
	for name, old := range h.planes {
		instance, still := wanted[name]
		if still && reflect.DeepEqual(instance, old.instance) {
			continue
		}
		freed[name] = old
		delete(h.planes, name)
		if !still {
			changes.Removed = append(changes.Removed, name)
		}
	}
	fresh := []*plane{}
	for name, instance := range wanted {
		if _, known := h.planes[name]; known {
			continue
		}
		p := newPlane(h.config.Etcd, instance, h.again)
		h.planes[name] = p
		fresh = append(fresh, p)
		if _, changed := freed[name]; changed {
			changes.Restarted = append(changes.Restarted, name)
		} else {
			changes.Started = append(changes.Started, name)
		}
	}
	slices.Sort(changes.Started)
	slices.Sort(changes.Restarted)
	slices.Sort(changes.Removed)
	slices.SortFunc(fresh, func(a, b *plane) int { return strings.Compare(a.instance.Name, b.instance.Name) })
	h.work.Go(func() { h.converge(freed, fresh) })
	return changes, nil
}

// converge stops the old planes before it starts the new ones, since these may take over a port.
func (h *Host) converge(old map[string]*plane, fresh []*plane) {
	var stops sync.WaitGroup
	for _, p := range old {
		stops.Go(func() { p.Stop(h.limit) })
	}
	stops.Wait()
	for _, p := range fresh {
		h.work.Go(func() { h.start(p) })
	}
}

// start leaves a plane alone that was removed or stopped, or whose host is ending, while it waited for its turn.
func (h *Host) start(p *plane) {
	h.mu.Lock()
	obsolete := h.ending || h.planes[p.instance.Name] != p || p.Status().State == Stopped
	h.mu.Unlock()
	if !obsolete {
		p.Start(h.limit)
	}
}

// again starts a plane that failed, where that is still wanted.
func (h *Host) again(p *plane) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ending { // else nobody waits for the work any more
		h.work.Go(func() { h.start(p) })
	}
}

// Instances are all states, by name.
func (h *Host) Instances() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Status, 0, len(h.planes))
	for _, p := range h.planes {
		all = append(all, p.Status())
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// StopInstance ends one control plane and returns when it has ended. Its data stay in etcd.
func (h *Host) StopInstance(name string) (Status, error) {
	p, err := h.plane(name)
	if err != nil {
		return Status{}, err
	}
	p.Stop(h.limit)
	return p.Status(), nil
}

// StartInstance starts one control plane and returns when it is ready or has failed.
func (h *Host) StartInstance(name string) (Status, error) {
	p, err := h.plane(name)
	if err != nil {
		return Status{}, err
	}
	p.Start(h.limit)
	return p.Status(), nil
}

func (h *Host) plane(name string) (*plane, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.planes[name]
	switch {
	case h.ending:
		return nil, errors.New("the host is ending")
	case !known:
		return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	return p, nil
}

// End stops every control plane; those that are starting first get ready (see plane), those that wait are not started.
func (h *Host) End() {
	h.mu.Lock()
	h.ending = true
	planes := make([]*plane, 0, len(h.planes))
	for _, p := range h.planes {
		planes = append(planes, p)
	}
	h.mu.Unlock()
	klog.InfoS("Stopping all control planes", "count", len(planes))
	var stops sync.WaitGroup
	for _, p := range planes {
		stops.Go(func() { p.Stop(h.limit) })
	}
	stops.Wait()
	h.work.Wait()
}
