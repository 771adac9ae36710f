package lifecycle

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// ErrUnknown is returned for a name that no file of the instances directory holds.
var ErrUnknown = errors.New("unknown instance")

var errEnding = errors.New("the host is ending")

// Changes are what a reload set going, by name.
type Changes struct {
	Started   []string `json:"started"`
	Restarted []string `json:"restarted"`
	Removed   []string `json:"removed"`
}

// Host holds the control planes of the process.
type Host struct {
	load  func() (map[string]settings.Instance, error)
	start Starter
	limit *gate // one slot per start or stop under way
	idle  time.Duration

	mu      sync.Mutex
	planes  map[string]*plane
	leaving map[*plane]struct{} // they were removed or replaced, and may still hold their port
	ending  bool
	work    sync.WaitGroup // starts and stops under way
}

// NewHost makes a host without control planes; Reload brings them. load reads what is to run, start starts one of it.
func NewHost(own settings.Config, load func() (map[string]settings.Instance, error), start Starter) *Host {
	return &Host{
		load: load, start: start, limit: newGate(own.Parallelism, own.Cores), idle: own.Hibernate(),
		planes: map[string]*plane{}, leaving: map[*plane]struct{}{},
	}
}

// Reload reads the instances directory and sets going what differs: it returns before that is done. A wrong file changes
// nothing. An instance that was stopped by name stays stopped unless its file changed.
//
// What is new waits until all that leaves has ended, of this reload and of earlier ones: it may take over a port.
func (h *Host) Reload() (Changes, error) {
	wanted, err := h.load()
	if err != nil {
		return Changes{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ending {
		return Changes{}, errEnding
	}
	changes := Changes{Started: []string{}, Restarted: []string{}, Removed: []string{}}
	for name, old := range h.planes {
		if instance, still := wanted[name]; !still {
			changes.Removed = append(changes.Removed, name)
		} else if !reflect.DeepEqual(instance, old.instance) {
			changes.Restarted = append(changes.Restarted, name)
		} else {
			continue
		}
		delete(h.planes, name)
		h.dismiss(old)
	}
	for name := range wanted {
		if _, known := h.planes[name]; !known && !slices.Contains(changes.Restarted, name) {
			changes.Started = append(changes.Started, name)
		}
	}
	slices.Sort(changes.Started)
	slices.Sort(changes.Restarted)
	slices.Sort(changes.Removed)
	before := make([]*plane, 0, len(h.leaving))
	for old := range h.leaving {
		before = append(before, old)
	}
	fresh := slices.Concat(changes.Started, changes.Restarted)
	slices.Sort(fresh)
	for _, name := range fresh {
		p := newPlane(wanted[name], h.start, h.limit, before, h.idle)
		h.planes[name] = p
		h.work.Go(p.settle)
	}
	return changes, nil
}

// dismiss has a plane end for good; the caller holds the lock.
func (h *Host) dismiss(p *plane) {
	p.dismiss()
	h.leaving[p] = struct{}{}
	h.work.Go(func() {
		p.leave()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.leaving, p)
	})
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
	p.Stop()
	return p.Status(), nil
}

// StartInstance starts one control plane and returns when it is ready or has failed.
func (h *Host) StartInstance(name string) (Status, error) {
	p, err := h.plane(name)
	if err != nil {
		return Status{}, err
	}
	p.Start()
	return p.Status(), nil
}

func (h *Host) plane(name string) (*plane, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.planes[name]
	switch {
	case h.ending:
		return nil, errEnding
	case !known:
		return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	return p, nil
}

// End stops every control plane; those that are starting first get ready (see plane), those that wait are not started.
func (h *Host) End() {
	h.mu.Lock()
	if !h.ending {
		h.ending = true
		klog.InfoS("Stopping all control planes", "count", len(h.planes))
		for _, p := range h.planes {
			h.dismiss(p)
		}
	}
	h.mu.Unlock()
	h.work.Wait()
}
