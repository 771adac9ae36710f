package dense

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"fleet.example/toolchain/controlplane/dense/lifecycle"
)

var (
	wakesDesc = metrics.NewDesc("fleet_dense_wakes_total",
		"How often a connection woke a control plane that slept.", []string{"control_plane"}, nil, metrics.ALPHA, "")
	wakeSecondsDesc = metrics.NewDesc("fleet_dense_wake_seconds_total",
		"How long connections waited in sum until the control plane that they woke was ready.", []string{"control_plane"}, nil, metrics.ALPHA, "")
	statesDesc = metrics.NewDesc("fleet_dense_control_planes",
		"Control planes of the process by state.", []string{"state"}, nil, metrics.ALPHA, "")
)

// collector shows the control planes of a process on the metrics page of each of them.
type collector struct {
	metrics.BaseStableCollector
	host *lifecycle.Host
}

func register(host *lifecycle.Host) { legacyregistry.CustomMustRegister(&collector{host: host}) }

// DescribeWithStability implements metrics.StableCollector.
func (c *collector) DescribeWithStability(descs chan<- *metrics.Desc) {
	descs <- wakesDesc
	descs <- wakeSecondsDesc
	descs <- statesDesc
}

// CollectWithStability implements metrics.StableCollector.
func (c *collector) CollectWithStability(found chan<- metrics.Metric) {
	states := map[lifecycle.State]int{}
	for _, status := range c.host.Instances() {
		states[status.State]++
		if status.Wakes > 0 {
			found <- metrics.NewLazyConstMetric(wakesDesc, metrics.CounterValue, float64(status.Wakes), status.Name)
			found <- metrics.NewLazyConstMetric(wakeSecondsDesc, metrics.CounterValue, status.WakeSeconds, status.Name)
		}
	}
	for state, count := range states {
		found <- metrics.NewLazyConstMetric(statesDesc, metrics.GaugeValue, float64(count), string(state))
	}
}
