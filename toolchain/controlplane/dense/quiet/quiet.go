// Package quiet keeps the work queues of a dense process from metering themselves.
//
// client-go gives each queue that has metrics a goroutine that wakes twice a second to say how long its oldest item has
// been under way. A control plane has 36 such queues; with 25 control planes that is 1,800 timers a second for metrics
// that nobody can distinguish, because the registry is the process's and not the instance's. They, and the wake-ups of
// the Go scheduler that each brings, were the largest part of an idle dense process.
//
// client-go takes the first metrics provider it is given, and component-base gives it one in its init. Nothing exported
// lets a program decline, so this package spends the one chance. Go initialises packages that are ready in the order of
// their import paths, and "fleet.example" comes before "k8s.io".
package quiet

import (
	"os"
	"path/filepath"
	"sync"
	_ "unsafe" // for go:linkname

	_ "k8s.io/client-go/util/workqueue" // whose variable is named below; it must be initialised first
)

// Program is the name under which the multi-call binary is the dense host.
const Program = "dense"

// Agents is the name under which another is the host of OCM agents, which have the same queues.
const Agents = "ocm-host"

//go:linkname providerChosen k8s.io/client-go/util/workqueue.setGlobalMetricsProviderOnce
var providerChosen sync.Once

func init() {
	if len(os.Args) == 0 {
		return
	}
	if name := filepath.Base(os.Args[0]); name == Program || name == Agents {
		providerChosen.Do(func() {})
	}
}
