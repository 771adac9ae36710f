package node

import (
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"k8s.io/kubernetes/pkg/kubelet/apis/config"

	"fleet.example/toolchain/hollow/backend"
)

// leaseInterval is how often a kubelet renews its lease: four times within its duration.
func leaseInterval(c *config.KubeletConfiguration) time.Duration {
	return time.Duration(c.NodeLeaseDurationSeconds) * time.Second / 4
}

// recorder passes on the kubelet's events, and hears from them which containers are init containers: the interface of a
// container runtime does not say, and such a container has to end before the others start.
type recorder struct {
	record.EventRecorder
	runtime *backend.Runtime
}

func (r recorder) Event(object runtime.Object, kind, reason, message string) {
	r.hear(object)
	r.EventRecorder.Event(object, kind, reason, message)
}

func (r recorder) Eventf(object runtime.Object, kind, reason, format string, values ...any) {
	r.hear(object)
	r.EventRecorder.Eventf(object, kind, reason, format, values...)
}

func (r recorder) AnnotatedEventf(object runtime.Object, annotations map[string]string, kind, reason, format string, values ...any) {
	r.hear(object)
	r.EventRecorder.AnnotatedEventf(object, annotations, kind, reason, format, values...)
}

func (r recorder) hear(object runtime.Object) {
	reference, ok := object.(*v1.ObjectReference)
	if !ok {
		return
	}
	if name, ok := strings.CutPrefix(reference.FieldPath, "spec.initContainers{"); ok {
		r.runtime.Init(string(reference.UID), strings.TrimSuffix(name, "}"))
	}
}
