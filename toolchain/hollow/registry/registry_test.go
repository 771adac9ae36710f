package registry

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

type collector struct {
	metrics.BaseStableCollector
	describes *metrics.Desc
}

func (c *collector) DescribeWithStability(ch chan<- *metrics.Desc) { ch <- c.describes }
func (c *collector) CollectWithStability(ch chan<- metrics.Metric) {
	ch <- metrics.NewLazyConstMetric(c.describes, metrics.GaugeValue, 1)
}

func made() *collector {
	return &collector{describes: metrics.NewDesc("fleet_of_a_kubelet", "Of one of them.", nil, nil, metrics.ALPHA, "")}
}

func TestTheSecondOfAProcessDoesNotPanic(t *testing.T) {
	Tolerate()
	legacyregistry.CustomMustRegister(made())
	legacyregistry.CustomMustRegister(made())
	families, err := legacyregistry.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, family := range families {
		names = append(names, family.GetName())
	}
	if !slices.Contains(names, "fleet_of_a_kubelet") {
		t.Errorf("the page has %v", names)
	}
}

func TestPlainCollectorsToo(t *testing.T) {
	Tolerate()
	gauge := func() prometheus.Collector {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "fleet_of_a_proxy"})
	}
	prometheus.MustRegister(gauge())
	prometheus.MustRegister(gauge())
}
