// Command ocm-hub holds all three controllers that a hub of Open Cluster Management 1.0.0 runs: registration, placement and
// work manager. A hub that is upgraded begins with them (experiment hub-upgrade). The program is chosen by the name it is
// called by, or by its first argument; the commands are put together as those of ../../../ocm-hub are.
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
	"open-cluster-management.io/ocm/pkg/registration/hub"
	"open-cluster-management.io/ocm/pkg/version"
	work "open-cluster-management.io/ocm/pkg/work/hub"
)

// programs are the commands by the names under which a fleet runs them.
var programs = map[string]func() *cobra.Command{
	"registration": newRegistration,
	"placement":    newPlacement,
	"work-manager": newWorkManager,
}

// newRegistration is upstream's `registration controller`.
func newRegistration() *cobra.Command {
	frame, own := options.NewOptions(), hub.NewHubManagerOptions()
	made := command("controller", "registration-controller", own.RunControllerManager, frame)
	own.AddFlags(made.Flags())
	utilruntime.Must(features.HubMutableFeatureGate.Add(ocmfeature.DefaultHubRegistrationFeatureGates))
	features.HubMutableFeatureGate.AddFlag(made.Flags())
	return made
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
		fmt.Fprintln(os.Stderr, "usage: ocm-hub PROGRAM COMMAND [FLAG...]   PROGRAM is one of registration, placement, work-manager")
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
