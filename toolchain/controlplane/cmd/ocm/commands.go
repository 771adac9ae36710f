package main

import (
	"context"

	"github.com/openshift/library-go/pkg/controller/controllercmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/component-base/featuregate"
	"k8s.io/utils/clock"
	ocmfeature "open-cluster-management.io/api/feature"
	"open-cluster-management.io/ocm/pkg/common/options"
	"open-cluster-management.io/ocm/pkg/features"
	"open-cluster-management.io/ocm/pkg/registration/hub"
	registration "open-cluster-management.io/ocm/pkg/registration/spoke"
	singleton "open-cluster-management.io/ocm/pkg/singleton/spoke"
	"open-cluster-management.io/ocm/pkg/version"
	work "open-cluster-management.io/ocm/pkg/work/spoke"
)

// agentUse is upstream's name of every agent command.
const agentUse = "agent"

// assembly is what differs between the commands.
type assembly struct {
	use, component string
	start          controllercmd.StartFunc
	health         []healthz.HealthChecker
	flags          []func(*pflag.FlagSet)
	gates          featuregate.MutableFeatureGate
	defaults       []map[featuregate.Feature]featuregate.FeatureSpec
}

// command puts an assembly together: OCM's controller frame, its flags and its feature gates.
func (a assembly) command(ctx context.Context, frame *options.Options) *cobra.Command {
	command := frame.
		NewControllerCommandConfig(a.component, version.Get(), a.start, clock.RealClock{}).
		WithHealthChecks(a.health...).
		NewCommandWithContext(ctx)
	command.Use = a.use
	for _, add := range a.flags {
		add(command.Flags())
	}
	for _, defaults := range a.defaults {
		utilruntime.Must(a.gates.Add(defaults))
	}
	a.gates.AddFlag(command.Flags())
	return command
}

// newRegistrationController runs on the hub: it accepts clusters, approves nothing by itself.
func newRegistrationController() *cobra.Command {
	frame, manager := options.NewOptions(), hub.NewHubManagerOptions()
	return assembly{
		use:       "controller",
		component: "registration-controller",
		start:     manager.RunControllerManager,
		flags:     []func(*pflag.FlagSet){manager.AddFlags, frame.AddFlags},
		gates:     features.HubMutableFeatureGate,
		defaults:  []map[featuregate.Feature]featuregate.FeatureSpec{ocmfeature.DefaultHubRegistrationFeatureGates},
	}.command(context.Background(), frame)
}

// newRegistrationAgent registers one cluster and keeps its lease; it ends itself to reread a changed hub kubeconfig.
func newRegistrationAgent() *cobra.Command {
	ctx, cancel := context.WithCancel(context.Background())
	agent, own := options.NewAgentOptions(), registration.NewSpokeAgentOptions()
	runner := registration.NewSpokeAgentConfig(agent, own, cancel)
	return assembly{
		use:       agentUse,
		component: "registration-agent",
		start:     runner.RunSpokeAgent,
		health:    runner.HealthCheckers(),
		flags:     []func(*pflag.FlagSet){agent.AddFlags, own.AddFlags},
		gates:     features.SpokeMutableFeatureGate,
		defaults:  []map[featuregate.Feature]featuregate.FeatureSpec{ocmfeature.DefaultSpokeRegistrationFeatureGates},
	}.command(ctx, agent.CommonOpts)
}

// newWorkAgent applies the ManifestWorks of one cluster.
func newWorkAgent() *cobra.Command {
	agent, own := options.NewAgentOptions(), work.NewWorkloadAgentOptions()
	runner := work.NewWorkAgentConfig(agent, own)
	return assembly{
		use:       agentUse,
		component: "work-agent",
		start:     runner.RunWorkloadAgent,
		flags:     []func(*pflag.FlagSet){agent.AddFlags, own.AddFlags},
		gates:     features.SpokeMutableFeatureGate,
		defaults:  []map[featuregate.Feature]featuregate.FeatureSpec{ocmfeature.DefaultSpokeWorkFeatureGates},
	}.command(context.Background(), agent.CommonOpts)
}

// newSingletonAgent is registration and work agent in one process (21 MB instead of two processes).
func newSingletonAgent() *cobra.Command {
	ctx, cancel := context.WithCancel(context.Background())
	agent, workOwn, registrationOwn := options.NewAgentOptions(), work.NewWorkloadAgentOptions(), registration.NewSpokeAgentOptions()
	runner := singleton.NewAgentConfig(agent, registrationOwn, workOwn, cancel)
	return assembly{
		use:       agentUse,
		component: "klusterlet-agent",
		start:     runner.RunSpokeAgent,
		health:    runner.HealthCheckers(),
		flags:     []func(*pflag.FlagSet){agent.AddFlags, workOwn.AddFlags, registrationOwn.AddFlags},
		gates:     features.SpokeMutableFeatureGate,
		defaults: []map[featuregate.Feature]featuregate.FeatureSpec{
			ocmfeature.DefaultSpokeRegistrationFeatureGates, ocmfeature.DefaultSpokeWorkFeatureGates,
		},
	}.command(ctx, agent.CommonOpts)
}
