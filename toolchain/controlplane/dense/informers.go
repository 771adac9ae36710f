package dense

import (
	"maps"
	"reflect"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/informers/core"
	corev1 "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/pkg/scheduler"
)

// schedulerInformers are an API server's own informers, but for pods: of these the scheduler must not see those that have
// ended, and counts what it sees as running.
type schedulerInformers struct {
	informers.SharedInformerFactory
	own informers.SharedInformerFactory
}

func newSchedulerInformers(shared informers.SharedInformerFactory, client kubernetes.Interface) schedulerInformers {
	return schedulerInformers{shared, scheduler.NewInformerFactory(client, 0)}
}

// Core implements informers.SharedInformerFactory.
func (s schedulerInformers) Core() core.Interface {
	return ownPods{s.SharedInformerFactory.Core(), s.own}
}

// Start implements informers.SharedInformerFactory.
func (s schedulerInformers) Start(stop <-chan struct{}) {
	s.SharedInformerFactory.Start(stop)
	s.own.Start(stop)
}

// Shutdown implements informers.SharedInformerFactory. The shared ones end with their API server.
func (s schedulerInformers) Shutdown() { s.own.Shutdown() }

// WaitForCacheSync implements informers.SharedInformerFactory.
func (s schedulerInformers) WaitForCacheSync(stop <-chan struct{}) map[reflect.Type]bool {
	synced := s.own.WaitForCacheSync(stop)
	maps.Copy(synced, s.SharedInformerFactory.WaitForCacheSync(stop))
	return synced
}

type ownPods struct {
	core.Interface
	own informers.SharedInformerFactory
}

func (o ownPods) V1() corev1.Interface { return ownPodsV1{o.Interface.V1(), o.own} }

type ownPodsV1 struct {
	corev1.Interface
	own informers.SharedInformerFactory
}

func (o ownPodsV1) Pods() corev1.PodInformer { return o.own.Core().V1().Pods() }
