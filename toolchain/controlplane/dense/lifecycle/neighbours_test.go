package lifecycle

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// stuck is a fake whose Stop does not return until it is let go.
type stuck struct {
	*fake
	hang chan struct{}
}

func (s *stuck) Stop() {
	<-s.hang
	s.fake.Stop()
}

// TestOneThatHangsFailsOrGoesTouchesNoNeighbour has three instances in trouble, each in its way, and one that must not
// notice: it is never stopped nor started again, and can itself be stopped and started.
func TestOneThatHangsFailsOrGoesTouchesNoNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hang := make(chan struct{})
		start := func(instance settings.Instance) (ControlPlane, error) {
			up, err := w.start(instance)
			if err == nil && instance.Name == "hangs" {
				return &stuck{up.(*fake), hang}, nil
			}
			return up, err
		}
		host := NewHost(settings.Config{Parallelism: 1}, w.load, start)
		for i, name := range []string{"dies", "fails", "good", "goes", "hangs"} {
			w.put(name, 1001+i, "")
		}
		w.fail["fails"] = errors.New("no luck")
		reload(t, host)
		synctest.Wait()
		good := w.up("good")

		go func() { _, _ = host.StopInstance("hangs") }()
		w.up("dies").die("etcd is gone")
		w.remove("goes")
		reload(t, host)
		time.Sleep(time.Hour) // pauses and second tries of those that failed
		synctest.Wait()
		states := map[string]State{}
		for _, found := range host.Instances() {
			states[found.Name] = found.State
		}
		want := map[string]State{"dies": Ready, "fails": Failed, "good": Ready, "hangs": Stopping}
		if fmt.Sprint(states) != fmt.Sprint(want) {
			t.Fatalf("states are %v, not %v", states, want)
		}
		if w.up("good") != good || w.count("good") != 1 {
			t.Fatal("the neighbour was touched")
		}
		for _, change := range []func(string) (Status, error){host.StopInstance, host.StartInstance} {
			if _, err := change("good"); err != nil {
				t.Fatal(err)
			}
		}
		if w.count("good") != 2 {
			t.Fatal("the neighbour could not be stopped and started alongside one that hangs")
		}
		close(hang)
		host.End()
	})
}
