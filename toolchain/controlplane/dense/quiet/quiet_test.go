package quiet

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/util/workqueue"
)

// counting is a provider that says so when a queue takes its metrics; what it gives is nil, and never used.
type counting struct {
	workqueue.MetricsProvider
	asked *bool
}

type none struct{}

func (none) Inc()            {}
func (none) Dec()            {}
func (none) Set(float64)     {}
func (none) Observe(float64) {}

func (c counting) NewDepthMetric(string) workqueue.GaugeMetric {
	*c.asked = true
	return none{}
}
func (counting) NewAddsMetric(string) workqueue.CounterMetric                        { return none{} }
func (counting) NewLatencyMetric(string) workqueue.HistogramMetric                   { return none{} }
func (counting) NewWorkDurationMetric(string) workqueue.HistogramMetric              { return none{} }
func (counting) NewUnfinishedWorkSecondsMetric(string) workqueue.SettableGaugeMetric { return none{} }
func (counting) NewLongestRunningProcessorSecondsMetric(string) workqueue.SettableGaugeMetric {
	return none{}
}
func (counting) NewRetriesMetric(string) workqueue.CounterMetric { return none{} }

const asChild = "QUIET_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	asked := false
	workqueue.SetProvider(counting{asked: &asked})
	queue := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Name: "named"})
	queue.ShutDown()
	if asked {
		_, _ = io.WriteString(os.Stdout, "metered")
	} else {
		_, _ = io.WriteString(os.Stdout, "quiet")
	}
}

func TestOnlyADenseProcessHasQuietQueues(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]string{Program: "quiet", "kube-controller-manager": "metered"} {
		link := filepath.Join(t.TempDir(), name)
		if err := os.Symlink(own, link); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(link)
		command.Env = append(os.Environ(), asChild+"=1")
		said, err := command.Output()
		if err != nil || strings.TrimSpace(string(said)) != wanted {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}
