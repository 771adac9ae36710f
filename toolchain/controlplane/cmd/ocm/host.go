package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/openshift/library-go/pkg/controller/controllercmd"
	"github.com/spf13/pflag"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	ocmfeature "open-cluster-management.io/api/feature"
	"open-cluster-management.io/ocm/pkg/common/options"
	"open-cluster-management.io/ocm/pkg/features"
	registration "open-cluster-management.io/ocm/pkg/registration/spoke"
	work "open-cluster-management.io/ocm/pkg/work/spoke"

	"fleet.example/toolchain/controlplane/dense/share"
)

// hubPoll is how often an agent looks whether it is registered, as upstream's singleton does.
const hubPoll = time.Second

// hosting prepares the process for the first agent.
var hosting = sync.OnceFunc(func() {
	share.Begin()
	// A controller that panics is logged and goes on; else one agent would end all.
	utilruntime.ReallyCrash = false
	// With a name of a pod, upstream's log lines say of which cluster they are.
	if os.Getenv("POD_NAME") == "" {
		_ = os.Setenv("POD_NAME", "ocm-host")
	}
	utilruntime.Must(features.SpokeMutableFeatureGate.Add(ocmfeature.DefaultSpokeRegistrationFeatureGates))
	utilruntime.Must(features.SpokeMutableFeatureGate.Add(ocmfeature.DefaultSpokeWorkFeatureGates))
})

// runAgent is the singleton agent of one cluster, with the flags of `registration-operator agent` but for those that are
// the process's (--listen, --config, --feature-gates, logging). Upstream's own singleton is not used: it ends the process
// when one of its halves fails.
func runAgent(ctx context.Context, name string, args []string) error {
	hosting()
	agent, workOwn, registrationOwn := options.NewAgentOptions(), work.NewWorkloadAgentOptions(), registration.NewSpokeAgentOptions()
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of the cluster")
	namespace := flags.String("namespace", "", "of the agent in the cluster")
	flags.Bool("disable-leader-election", true, "it never has one here")
	agent.AddFlags(flags)
	workOwn.AddFlags(flags)
	registrationOwn.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig: %w", err)
	}
	config.QPS, config.Burst = agent.CommonOpts.QPS, agent.CommonOpts.Burst
	// Upstream ends the process for what does not hold here.
	if err := errors.Join(registrationOwn.Validate(), agent.Complete(), agent.Validate()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := registration.NewSpokeAgentConfig(agent, registrationOwn, cancel)
	second := work.NewWorkAgentConfig(agent, workOwn)
	frame := func() *controllercmd.ControllerContext {
		return &controllercmd.ControllerContext{KubeConfig: config, ProtoKubeConfig: config, Clock: clock.RealClock{}, OperatorNamespace: *namespace}
	}
	halves := make(chan error, 2)
	var running sync.WaitGroup
	running.Go(func() { halves <- guarded(func() error { return first.RunSpokeAgent(ctx, frame()) }) })
	running.Go(func() {
		halves <- guarded(func() error {
			if err := wait.PollUntilContextCancel(ctx, hubPoll, true, first.IsHubKubeConfigValid); err != nil {
				return err
			}
			return second.RunWorkloadAgent(ctx, frame())
		})
	})
	err = <-halves // the first that ends ends the other
	cancel()
	running.Wait()
	return err
}

// guarded turns a panic into an error.
func guarded(run func() error) (err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("panic: %v", failure)
		}
	}()
	return run()
}
