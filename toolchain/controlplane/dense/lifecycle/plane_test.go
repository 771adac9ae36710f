package lifecycle

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// alive starts a host with one control plane.
func alive(t *testing.T, w *world) *Host {
	t.Helper()
	host := w.host(1)
	w.put("wec1", 1001, "")
	reload(t, host)
	synctest.Wait()
	return host
}

func TestPausesDoubleUpToTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fail["wec1"] = errors.New("no luck")
		host := alive(t, w)
		pause := firstPause
		for tries := 1; tries < 9; tries++ {
			if found := host.Instances()[0]; found.State != Failed || found.Error != "no luck" {
				t.Fatal(found)
			}
			time.Sleep(pause - time.Millisecond)
			synctest.Wait()
			if w.count("wec1") != tries {
				t.Fatalf("%d tries before the pause of %v was over, not %d", w.count("wec1"), pause, tries)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			pause = min(2*pause, longestPause)
		}
		host.End()
		tries := w.count("wec1")
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.count("wec1") != tries {
			t.Fatal("it was tried after the end")
		}
	})
}

func TestOneThatEndsComesBackAndBeginsWithTheFirstPauseOnceItHasRunForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host := alive(t, w)
		for range 2 { // a second pause of this length shows that it began again
			time.Sleep(longestPause + time.Second)
			w.up("wec1").die("etcd is gone")
			synctest.Wait()
			if found := host.Instances()[0]; found.State != Failed || found.Error != "etcd is gone" {
				t.Fatal(found)
			}
			time.Sleep(firstPause)
			synctest.Wait()
			expect(t, host, map[string]State{"wec1": Ready})
		}
		w.up("wec1").die("at once")
		time.Sleep(firstPause)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Failed})
		time.Sleep(firstPause)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Ready})
		host.End()
	})
}

func TestAnOrderToStartDoesNotWaitForThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fail["wec1"] = errors.New("no luck")
		host := alive(t, w)
		w.set(func() { delete(w.fail, "wec1") })
		if status, err := host.StartInstance("wec1"); err != nil || status.State != Ready || status.Error != "" {
			t.Fatal(status, err)
		}
		time.Sleep(firstPause) // the pause that was under way ends without a second start
		synctest.Wait()
		if w.count("wec1") != 2 {
			t.Fatalf("it was started %d times", w.count("wec1"))
		}
		host.End()
	})
}

func TestReadySecondsAreThoseOfTheStartAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		host := w.host(1)
		w.put("wec1", 1001, "")
		w.put("wec2", 1002, "")
		reload(t, host)
		for range 2 {
			time.Sleep(3 * time.Second)
			synctest.Wait()
			w.hold <- struct{}{}
			synctest.Wait()
		}
		for _, status := range host.Instances() {
			if status.State != Ready || status.ReadySeconds != 3 {
				t.Fatal(status)
			}
		}
		close(w.hold)
		host.End()
	})
}

func TestTheLastOrderWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		host := alive(t, w) // it starts, and takes its time
		go func() { _, _ = host.StopInstance("wec1") }()
		synctest.Wait()
		go func() { _, _ = host.StartInstance("wec1") }()
		synctest.Wait()
		go func() { _, _ = host.StopInstance("wec1") }()
		synctest.Wait()
		close(w.hold)
		synctest.Wait()
		expect(t, host, map[string]State{"wec1": Stopped})
		host.End()
	})
}
