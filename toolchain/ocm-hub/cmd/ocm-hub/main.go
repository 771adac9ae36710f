// Command ocm-hub holds the controllers of Open Cluster Management that take an object to many clusters: placement, which
// chooses clusters, and the work manager, which makes a ManifestWork of a ManifestWorkReplicaSet for each of them. The
// program is chosen by the name it is called by, or by its first argument.
//
// It is a group of its own because only a fleet whose manager is plain OCM runs them. The commands are put together from
// OCM's option and runner packages, not from its pkg/cmd, which would pull in the operators and helm.
package main

import (
	"context"
	goflag "flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/openshift/library-go/pkg/controller/controllercmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	"k8s.io/utils/clock"
	ocmfeature "open-cluster-management.io/api/feature"
	"open-cluster-management.io/ocm/pkg/common/options"
	"open-cluster-management.io/ocm/pkg/features"
	placement "open-cluster-management.io/ocm/pkg/placement/controllers"
	"open-cluster-management.io/ocm/pkg/version"
	work "open-cluster-management.io/ocm/pkg/work/hub"
)

// programs are the commands by the names under which a fleet runs them.
var programs = map[string]func() *cobra.Command{
	"placement":    newPlacement,
	"work-manager": newWorkManager,
}

// newPlacement is upstream's `placement controller`.
func newPlacement() *cobra.Command {
	frame := options.NewOptions()
	return command("controller", "placement", placement.RunControllerManager, frame)
}

// newWorkManager is upstream's `work manager`.
func newWorkManager() *cobra.Command {
	frame, own := options.NewOptions(), work.NewWorkHubManagerOptions()
	made := command("manager", "work-manager", work.NewWorkHubManagerConfig(own).RunWorkHubManager, frame)
	own.AddFlags(made.Flags())
	utilruntime.Must(features.HubMutableFeatureGate.Add(ocmfeature.DefaultHubWorkFeatureGates))
	features.HubMutableFeatureGate.AddFlag(made.Flags())
	return made
}

func command(use, component string, start controllercmd.StartFunc, frame *options.Options) *cobra.Command {
	made := frame.
		NewControllerCommandConfig(component, version.Get(), start, clock.RealClock{}).
		NewCommandWithContext(context.Background())
	made.Use = use
	frame.AddFlags(made.Flags())
	return made
}

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if programs[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if programs[name] == nil {
		fmt.Fprintln(os.Stderr, "usage: ocm-hub PROGRAM COMMAND [FLAG...]   PROGRAM is one of placement, work-manager")
		os.Exit(2)
	}
	os.Exit(run(name, programs[name](), args))
}

func run(name string, only *cobra.Command, args []string) int {
	pflag.CommandLine.SetNormalizeFunc(utilflag.WordSepNormalizeFunc)
	pflag.CommandLine.AddGoFlagSet(goflag.CommandLine)
	logs.AddFlags(pflag.CommandLine)
	logs.InitLogs()
	defer logs.FlushLogs()

	root := &cobra.Command{Use: name, Short: "Open Cluster Management: " + name, Version: version.Get().String()}
	root.AddCommand(only)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		return 1
	}
	return 0
}
