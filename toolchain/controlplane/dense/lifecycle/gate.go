package lifecycle

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// startingGC is GOGC while an instance starts: a starting one makes 150 MB of garbage in seconds. At 60 the collector
	// makes the start longer (by a twentieth), at 200 the garbage leaves its holes between what stays: 5 MiB per instance.
	startingGC = 100
	// calm after the last start or stop, what is garbage by then goes back to the kernel.
	calm = 15 * time.Second
)

// gate bounds how many instances start or stop at a time, and gives the process all cores, and a collector that runs
// less often, for as long as any does.
//
// The rest of the time it has a few cores. An idle control plane is some hundred timers that fire each second; with
// more threads than it needs, Go's scheduler wakes a second one at almost every one of them, to look for work that is
// not there. That costs about as much as the work does.
type gate struct {
	slots  chan struct{}
	cores  int // while nothing is under way
	all    int
	restGC int // GOGC of the environment

	mu       sync.Mutex
	underWay int
	changes  int // starts and ends so far: shows whether it stayed calm
}

func newGate(slots, cores int) *gate {
	all := runtime.GOMAXPROCS(0)
	if cores == 0 || cores > all {
		cores = all
	}
	restGC := debug.SetGCPercent(startingGC)
	debug.SetGCPercent(restGC)
	return &gate{slots: make(chan struct{}, slots), cores: cores, all: all, restGC: restGC}
}

// enter waits for a slot.
func (g *gate) enter() {
	g.slots <- struct{}{}
	g.count(1)
}

// leave gives the slot back.
func (g *gate) leave() {
	g.count(-1)
	<-g.slots
}

// leaveWithin gives the slot back when the function it returns is called, or after that time, whichever comes first.
func (g *gate) leaveWithin(longest time.Duration) func() {
	leave := sync.OnceFunc(g.leave)
	timer := time.AfterFunc(longest, leave)
	return func() {
		timer.Stop()
		leave()
	}
}

func (g *gate) count(change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.underWay
	g.underWay += change
	g.changes++
	switch {
	case before == 0 && g.underWay > 0:
		runtime.GOMAXPROCS(g.all)
		if 0 <= g.restGC && g.restGC < startingGC {
			debug.SetGCPercent(startingGC)
		}
	case g.underWay == 0:
		changes := g.changes
		time.AfterFunc(calm, func() { g.rest(changes) })
	}
}

// rest takes the cores back and makes the process as small as it can be, unless there were changes since.
func (g *gate) rest(changes int) {
	g.mu.Lock()
	calm := g.changes == changes
	if calm {
		runtime.GOMAXPROCS(g.cores)
		debug.SetGCPercent(g.restGC)
	}
	g.mu.Unlock()
	if calm {
		debug.FreeOSMemory()
		debug.FreeOSMemory() // what lay in a sync.Pool is garbage only for the second collection
	}
}
