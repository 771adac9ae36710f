package dense

import (
	"runtime"
	"sync"
)

// gate bounds how many instances start or stop at a time, and gives the process all cores for as long as any does.
//
// The rest of the time it has a few. An idle control plane is some hundred timers that fire each second; with more
// threads than it needs, Go's scheduler wakes a second one at almost every one of them, to look for work that is not
// there. That costs about as much as the work does.
type gate struct {
	slots chan struct{}
	cores int // while nothing is under way
	all   int

	mu       sync.Mutex
	underWay int
}

func newGate(slots, cores int) *gate {
	all := runtime.GOMAXPROCS(0)
	if cores == 0 || cores > all {
		cores = all
	}
	return &gate{slots: make(chan struct{}, slots), cores: cores, all: all}
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

func (g *gate) count(change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underWay += change
	cores := g.cores
	if g.underWay > 0 {
		cores = g.all
	}
	if runtime.GOMAXPROCS(0) != cores {
		runtime.GOMAXPROCS(cores)
	}
}
