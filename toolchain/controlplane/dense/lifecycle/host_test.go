package lifecycle

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleet.example/toolchain/controlplane/dense/settings"
)

func reload(t *testing.T, host *Host) Changes {
	t.Helper()
	changes, err := host.Reload()
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func states(host *Host) map[string]State {
	found := map[string]State{}
	for _, status := range host.Instances() {
		found[status.Name] = status.State
	}
	return found
}

func expect(t *testing.T, host *Host, wanted map[string]State) {
	t.Helper()
	if found := states(host); !reflect.DeepEqual(found, wanted) {
		t.Fatalf("states are %v, not %v", found, wanted)
	}
}

func TestReloadConvergesToTheFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		host := w.host(2)
		defer host.End()
		for n := range 6 {
			w.put(fmt.Sprintf("wec%d", n), 1000+n, "")
		}
		changes := reload(t, host)
		synctest.Wait()
		close(w.hold)
		synctest.Wait()
		if len(changes.Started) != 6 || w.highest != 2 {
			t.Fatalf("%d started, %d at once", len(changes.Started), w.highest)
		}
		w.remove("wec0")
		w.put("wec1", 1001, "another")
		w.put("wec6", 1000, "") // the port of the one that goes
		changes = reload(t, host)
		wanted := Changes{Started: []string{"wec6"}, Restarted: []string{"wec1"}, Removed: []string{"wec0"}}
		if !reflect.DeepEqual(changes, wanted) {
			t.Fatalf("changes are %v", changes)
		}
		synctest.Wait()
		for name, state := range states(host) {
			if state != Ready {
				t.Fatalf("%s is %s", name, state)
			}
		}
		if w.count("wec2") != 1 || w.count("wec1") != 2 || w.up("wec0") != nil {
			t.Fatal("it started what had not changed, or left what was removed")
		}
		if again := reload(t, host); len(again.Started)+len(again.Restarted)+len(again.Removed) != 0 {
			t.Fatalf("nothing had changed, and it did %v", again)
		}
	})
}

func TestAWrongFileChangesNothing(t *testing.T) {
	w := newWorld(t)
	host := w.host(1)
	defer host.End()
	wrong := errors.New("wrong")
	host.load = func() (map[string]settings.Instance, error) { return nil, wrong }
	if _, err := host.Reload(); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if _, err := host.StopInstance("wec1"); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
}

// A stop that comes while a start waits for its turn: it was started all the same when the check had been passed.
func TestWhatWasStoppedWhileItWaitedForItsTurnIsNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		host := w.host(1)
		w.put("wec1", 1001, "")
		reload(t, host)
		synctest.Wait() // wec1 has the only slot
		w.put("wec2", 1002, "")
		reload(t, host)
		synctest.Wait()
		go func() { _, _ = host.StopInstance("wec2") }()
		synctest.Wait()
		close(w.hold)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Ready, "wec2": Stopped})
		if w.count("wec2") != 0 {
			t.Fatal("it was started")
		}
		host.End()
	})
}

// A stopped instance came back when the pause of an earlier failure was over.
func TestAPendingRetryDoesNotStartWhatWasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host := w.host(1)
		w.put("wec1", 1001, "")
		w.fail["wec1"] = errors.New("no luck")
		reload(t, host)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Failed})
		w.set(func() { delete(w.fail, "wec1") })
		if status, err := host.StopInstance("wec1"); err != nil || status.State != Stopped || status.Error != "" {
			t.Fatal(status, err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Stopped})
		if w.count("wec1") != 1 {
			t.Fatalf("it was started %d times", w.count("wec1"))
		}
		if status, err := host.StartInstance("wec1"); err != nil || status.State != Ready {
			t.Fatal(status, err)
		}
		host.End()
	})
}

// Orders for an instance whose predecessor still ends: a start found its port taken.
func TestASuccessorWaitsForItsPredecessorWhoeverStartsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host := w.host(4)
		w.put("wec1", 1001, "")
		reload(t, host)
		synctest.Wait()
		w.set(func() { w.hold = make(chan struct{}) })
		w.put("wec1", 1001, "new credentials")
		reload(t, host)
		synctest.Wait() // the old one ends, and takes its time
		done := make(chan Status, 1)
		go func() {
			_, _ = host.StopInstance("wec1")
			status, _ := host.StartInstance("wec1")
			done <- status
		}()
		synctest.Wait()
		if len(done) != 0 || w.count("wec1") != 1 {
			t.Fatal("the successor did not wait")
		}
		close(w.hold)
		if status := <-done; status.State != Ready || w.up("wec1").instance.ServiceAccountIssuer != "new credentials" {
			t.Fatal(status)
		}
		host.End()
	})
}

// A second reload knew nothing of what the first one had removed.
func TestASuccessorWaitsForWhatAnEarlierReloadRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host := w.host(4)
		w.put("wec1", 1001, "")
		reload(t, host)
		synctest.Wait()
		w.set(func() { w.hold = make(chan struct{}) })
		w.remove("wec1")
		reload(t, host)
		synctest.Wait()
		w.put("wec2", 1001, "")
		reload(t, host)
		synctest.Wait()
		expect(t, host, map[string]State{"wec2": Starting})
		if w.count("wec2") != 0 {
			t.Fatal("it did not wait")
		}
		close(w.hold)
		synctest.Wait()
		expect(t, host, map[string]State{"wec2": Ready})
		host.End()
	})
}

func TestWhatWasStoppedStaysStoppedUnlessItsFileChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host := w.host(1)
		w.put("wec1", 1001, "")
		reload(t, host)
		synctest.Wait()
		_, _ = host.StopInstance("wec1")
		reload(t, host)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Stopped})
		w.put("wec1", 1001, "another")
		reload(t, host)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Ready})
		host.End()
	})
}

func TestTheEndStartsNothingThatWaitsAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		host := w.host(1)
		for n := range 5 {
			w.put(fmt.Sprintf("wec%d", n), 1000+n, "")
		}
		reload(t, host)
		synctest.Wait()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			host.End()
		}()
		synctest.Wait()
		close(w.hold)
		<-ended
		total := 0
		for n := range 5 {
			total += w.count(fmt.Sprintf("wec%d", n))
		}
		if total != 1 || len(w.running) != 0 {
			t.Fatalf("%d were started, %d are left", total, len(w.running))
		}
		if _, err := host.Reload(); !errors.Is(err, errEnding) {
			t.Fatal(err)
		}
		if _, err := host.StartInstance("wec0"); !errors.Is(err, errEnding) {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
	})
}

// Everything at once, for the race detector: the fake complains when two hold one port, or when one is stopped twice.
func TestOrdersInAnyOrder(t *testing.T) {
	w := newWorld(t)
	host := w.host(3)
	for n := range 8 {
		w.put(fmt.Sprintf("wec%d", n), 1000+n, "")
	}
	reload(t, host)
	var orders sync.WaitGroup
	for n := range 8 {
		name := fmt.Sprintf("wec%d", n)
		for range 3 {
			orders.Go(func() {
				for round := range 50 {
					switch (n + round) % 4 {
					case 0:
						_, _ = host.StopInstance(name)
					case 1:
						_, _ = host.StartInstance(name)
					case 2:
						host.Instances()
					default:
						w.put(name, 1000+n, fmt.Sprint(round))
						_, _ = host.Reload()
					}
				}
			})
		}
	}
	orders.Wait()
	for n := range 8 {
		if status, err := host.StartInstance(fmt.Sprintf("wec%d", n)); err != nil || status.State != Ready {
			t.Fatal(status, err)
		}
	}
	host.End()
	if len(w.running) != 0 || len(w.ports) != 0 {
		t.Fatalf("%d are left, %d ports are held", len(w.running), len(w.ports))
	}
}
