// Command kube is the upstream control plane in one file: etcd, kube-apiserver, kube-controller-manager, kube-scheduler
// and our own dense host. The program is chosen by the name it is called by, or by its first argument.
//
// One file keeps link time and disk low, and the processes of one machine share its pages.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's request metrics, as in the upstream programs
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"fleet.example/toolchain/controlplane/dense"
	"fleet.example/toolchain/controlplane/dense/quiet"
)

// programs maps a name to what runs it; args[0] is the name. Each returns the exit code.
var programs = map[string]func(args []string) int{
	"etcd": func(args []string) int {
		settle(os.Getenv(settledGC))
		etcdmain.Main(args)
		return 0
	},
	"kube-apiserver":          component(func() *cobra.Command { return apiserver.NewAPIServerCommand() }),
	"kube-controller-manager": component(func() *cobra.Command { return controllermanager.NewControllerManagerCommand() }),
	"kube-scheduler":          component(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	quiet.Program:             component(dense.NewCommand),
}

// component runs a cobra command as upstream's own main does. The command is made on use only: making one changes
// process-wide flags and feature gates.
func component(command func() *cobra.Command) func([]string) int {
	return func(args []string) int {
		os.Args = args // upstream reads flags from here
		settle(os.Getenv(settledGC))
		return cli.Run(command())
	}
}

const (
	// settledGC names the variable with the GOGC of a program that has started. A small GOGC from the start on costs
	// more than the start itself: the collector then runs every few megabytes of the gigabyte that a start allocates.
	settledGC = "KUBE_SETTLED_GOGC"
	settling  = 20 * time.Second
)

// settle gives the garbage of the start back to the kernel and sets GOGC when the start is over; not for "".
func settle(value string) {
	percent, err := strconv.Atoi(value)
	if value == "" {
		return
	}
	if err != nil || percent <= 0 {
		fmt.Fprintf(os.Stderr, "%s=%q: give a number above 0\n", settledGC, value)
		os.Exit(2)
	}
	time.AfterFunc(settling, func() {
		debug.SetGCPercent(percent)
		debug.FreeOSMemory()
		debug.FreeOSMemory() // what lay in a sync.Pool is garbage only for the second collection
	})
}

func main() {
	args := slices.Clone(os.Args)
	args[0] = filepath.Base(args[0])
	if _, known := programs[args[0]]; !known && len(args) > 1 {
		args = args[1:]
	}
	program, known := programs[args[0]]
	if !known {
		names := make([]string, 0, len(programs))
		for name := range programs {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "usage: kube PROGRAM [ARGUMENT...]   PROGRAM is one of %s\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	os.Exit(program(args))
}
