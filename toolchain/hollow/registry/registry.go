// Package registry lets several kubelets of one process register their metrics.
//
// A kubelet registers collectors of its volumes and logs in the process's only registry, which panics for the second.
// The page /metrics is then the first kubelet's for these, and all kubelets' together for the rest.
package registry

import (
	_ "unsafe" // go:linkname

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/component-base/metrics"
	_ "k8s.io/component-base/metrics/legacyregistry" // what the name below is of
)

//go:linkname defaultRegistry k8s.io/component-base/metrics/legacyregistry.defaultRegistry
var defaultRegistry metrics.KubeRegistry

// Tolerate duplicates from now on; call it before the first kubelet is made.
func Tolerate() {
	defaultRegistry = kube{defaultRegistry}
	prometheus.DefaultRegisterer = plain{prometheus.DefaultRegisterer}
}

type kube struct{ metrics.KubeRegistry }

// CustomMustRegister does not panic: that a collector is there already is all that can be wrong with upstream's.
func (r kube) CustomMustRegister(collectors ...metrics.StableCollector) {
	for _, collector := range collectors {
		_ = r.CustomRegister(collector)
	}
}

type plain struct{ prometheus.Registerer }

func (r plain) MustRegister(collectors ...prometheus.Collector) {
	for _, collector := range collectors {
		_ = r.Register(collector)
	}
}
