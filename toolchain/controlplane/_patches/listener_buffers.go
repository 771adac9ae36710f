package cache

import (
	"time"

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/share"
)

// firstBuffer is how many events a listener has room for at first: it grows as it needs to. Upstream gives each room for
// 1024 (16 KiB), and a control plane has more than a hundred that never see ten.
const firstBuffer = 8

func newProcessListener(logger klog.Logger, handler ResourceEventHandler, requestedResyncPeriod, resyncPeriod time.Duration,
	now time.Time, bufferSize int, hasSynced func() bool,
) *processorListener {
	if share.On() {
		bufferSize = min(bufferSize, firstBuffer)
	}
	return upstreamNewProcessListener(logger, handler, requestedResyncPeriod, resyncPeriod, now, bufferSize, hasSynced)
}
