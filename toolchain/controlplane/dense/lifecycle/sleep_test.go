package lifecycle

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleet.example/toolchain/controlplane/dense/settings"
)

const idle = 300 * time.Second

// dozer is a fake that can sleep. Its connections are what the test says.
type dozer struct {
	*fake
	mu     sync.Mutex
	quiet  time.Time // since when nobody is connected; zero while somebody is
	asleep *bed
}

type bed struct {
	of      *dozer
	knocked chan struct{}
	once    sync.Once
	fail    error
}

func (d *dozer) Quiet() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quiet.IsZero() {
		return 0
	}
	return time.Since(d.quiet)
}

func (d *dozer) used(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = time.Time{}
	if !is {
		d.quiet = time.Now()
	}
}

func (d *dozer) Sleep() Sleeping {
	d.once.Do(func() { close(d.ended) })
	b := &bed{of: d, knocked: make(chan struct{})}
	d.world.set(func() {
		delete(d.world.running, d.instance.Name) // its port stays taken
		d.asleep = b
	})
	return b
}

func (b *bed) Knocked() <-chan struct{} { return b.knocked }

func (b *bed) knock() { b.once.Do(func() { close(b.knocked) }) }

func (b *bed) Wake() (ControlPlane, error) {
	w, name := b.of.world, b.of.instance.Name
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts[name]++
	if b.fail != nil {
		return nil, b.fail
	}
	time.Sleep(2 * time.Second)
	up := &fake{world: w, instance: b.of.instance, ended: make(chan struct{})}
	w.running[name] = up
	b.knock()
	return &dozer{fake: up, quiet: time.Now()}, nil
}

func (b *bed) Close() {
	b.of.world.set(func() { delete(b.of.world.ports, b.of.instance.SecurePort) })
	b.knock()
}

// sleepy is a host with one control plane that can sleep, and that control plane.
func sleepy(t *testing.T, w *world) (*Host, *dozer) {
	t.Helper()
	var first *dozer
	start := func(instance settings.Instance) (ControlPlane, error) {
		up, err := w.start(instance)
		if err != nil {
			return nil, err
		}
		first = &dozer{fake: up.(*fake), quiet: time.Now()}
		return first, nil
	}
	host := NewHost(settings.Config{Parallelism: 1, HibernateSeconds: int(idle.Seconds()), Sharing: true}, w.load, start)
	w.put("wec1", 1001, "")
	reload(t, host)
	synctest.Wait()
	return host, first
}

func (d *dozer) rests(t *testing.T) *bed {
	t.Helper()
	time.Sleep(idle + idle/looks + time.Second)
	synctest.Wait()
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	if d.asleep == nil {
		t.Fatal("it does not sleep")
	}
	return d.asleep
}

func state(t *testing.T, host *Host, want State) Status {
	t.Helper()
	synctest.Wait()
	found := host.Instances()[0]
	if found.State != want {
		t.Fatalf("it is %v, not %v", found, want)
	}
	return found
}

func TestOneThatNobodyUsesSleepsAndAConnectionWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host, up := sleepy(t, w)
		asleep := up.rests(t)
		state(t, host, Asleep)
		if w.ports[1001] != "wec1" {
			t.Fatal("it gave up its port")
		}
		asleep.knock()
		time.Sleep(3 * time.Second)
		if woken := state(t, host, Ready); woken.Wakes != 1 || woken.WakeSeconds != 2 {
			t.Fatalf("woken %d times, %v s", woken.Wakes, woken.WakeSeconds)
		}
		host.End()
		if len(w.ports) > 0 || len(w.running) > 0 {
			t.Fatal("something is left")
		}
	})
}

func TestOneThatIsUsedDoesNotSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host, up := sleepy(t, w)
		up.used(true)
		time.Sleep(10 * idle)
		state(t, host, Ready)
		up.used(false)
		up.rests(t)
		state(t, host, Asleep)
		host.End()
	})
}

func TestOneThatSleepsCanBeStoppedStartedAndRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host, up := sleepy(t, w)
		up.rests(t)
		if _, err := host.StopInstance("wec1"); err != nil {
			t.Fatal(err)
		}
		state(t, host, Stopped)
		if len(w.ports) > 0 {
			t.Fatal("a stopped one holds its port")
		}
		if _, err := host.StartInstance("wec1"); err != nil {
			t.Fatal(err)
		}
		state(t, host, Ready)
		time.Sleep(2 * idle)
		state(t, host, Asleep)
		w.remove("wec1")
		reload(t, host)
		synctest.Wait()
		if len(w.ports) > 0 || len(host.Instances()) > 0 {
			t.Fatal("a removed one is left")
		}
		host.End()
	})
}

func TestAStartWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host, up := sleepy(t, w)
		up.rests(t)
		if _, err := host.StartInstance("wec1"); err != nil {
			t.Fatal(err)
		}
		state(t, host, Ready)
		host.End()
	})
}

func TestAWakeThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		host, up := sleepy(t, w)
		asleep := up.rests(t)
		w.set(func() { asleep.fail = errors.New("etcd is gone") })
		asleep.knock()
		if found := state(t, host, Failed); found.Error != "etcd is gone" {
			t.Fatal(found)
		}
		w.set(func() { asleep.fail = nil })
		time.Sleep(firstPause + 3*time.Second)
		if woken := state(t, host, Ready); woken.Wakes != 1 || woken.WakeSeconds < firstPause.Seconds() {
			t.Fatalf("woken %d times, %v s", woken.Wakes, woken.WakeSeconds)
		}
		host.End()
	})
}
