package lifecycle

import (
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// cores sets GOMAXPROCS and GOGC for one test.
func cores(t *testing.T, count, percent int) {
	before, gc := runtime.GOMAXPROCS(count), debug.SetGCPercent(percent)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(before)
		debug.SetGCPercent(gc)
	})
}

func percent() int {
	found := debug.SetGCPercent(100)
	debug.SetGCPercent(found)
	return found
}

func TestAllCoresWhileAnyStartsAndFewOnceItIsCalm(t *testing.T) {
	cores(t, 4, 40)
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 1)
		check := func(wantedCores, wantedGC int) {
			t.Helper()
			synctest.Wait()
			if runtime.GOMAXPROCS(0) != wantedCores || percent() != wantedGC {
				t.Fatalf("%d cores, GOGC %d", runtime.GOMAXPROCS(0), percent())
			}
		}
		g.enter()
		check(4, startingGC)
		g.enter()
		g.leave()
		time.Sleep(2 * calm)
		check(4, startingGC)
		g.leave()
		time.Sleep(calm - time.Second)
		check(4, startingGC)
		g.enter() // a start within the calm begins it again
		g.leave()
		time.Sleep(calm - time.Second)
		check(4, startingGC)
		time.Sleep(time.Second)
		check(1, 40)
		g.enter()
		check(4, startingGC)
		g.leave()
		time.Sleep(calm)
	})
}

func TestACollectorThatIsOffStaysOff(t *testing.T) {
	cores(t, 2, -1)
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 0)
		g.enter()
		if percent() != -1 || runtime.GOMAXPROCS(0) != 2 {
			t.Fatal(percent(), runtime.GOMAXPROCS(0))
		}
		g.leave()
		time.Sleep(calm)
	})
}

func TestNoMoreThanItsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 0)
		entered := 0
		for range 3 {
			go func() {
				g.enter()
				entered++ // two at a time would be a race, but for the waits between
			}()
			synctest.Wait()
		}
		if entered != 2 {
			t.Fatalf("%d entered", entered)
		}
		g.leave()
		synctest.Wait()
		if entered != 3 {
			t.Fatalf("%d entered", entered)
		}
		g.leave()
		g.leave()
		time.Sleep(calm)
	})
}
