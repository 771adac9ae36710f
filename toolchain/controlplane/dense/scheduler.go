package dense

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/config"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"

	"fleet.example/toolchain/controlplane/dense/settings"
	"fleet.example/toolchain/controlplane/dense/share"
)

// startScheduler runs the scheduler of an instance until ctx is done; the function it returns waits for its end.
//
// Upstream's own app.Run is not used: it registers the process's configz, which fails the second time.
func startScheduler(ctx context.Context, instance settings.Instance, server *apiServer) (func(), error) {
	completed, sched, err := configureScheduler(ctx, instance, server)
	if err != nil {
		return nil, fmt.Errorf("kube-scheduler: %w", err)
	}
	completed.EventBroadcaster.StartRecordingToSink(ctx.Done())
	completed.InformerFactory.Start(ctx.Done())
	completed.DynInformerFactory.Start(ctx.Done())
	completed.InformerFactory.WaitForCacheSync(ctx.Done())
	completed.DynInformerFactory.WaitForCacheSync(ctx.Done())
	if err := sched.WaitForHandlersSync(ctx); err != nil {
		completed.EventBroadcaster.Shutdown()
		return nil, fmt.Errorf("kube-scheduler: caches did not fill: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sched.Run(ctx)
	}()
	return func() {
		<-ended
		completed.InformerFactory.Shutdown()
		completed.DynInformerFactory.Shutdown()
		completed.EventBroadcaster.Shutdown()
	}, nil
}

func configureScheduler(ctx context.Context, instance settings.Instance, server *apiServer) (*config.CompletedConfig, *scheduler.Scheduler, error) {
	setup.Lock()
	defer setup.Unlock()
	opts := options.NewOptions()
	opts.SecureServing.BindPort = 0
	// Upstream takes these over only from flags that were changed.
	if err := errors.Join(
		opts.Flags.FlagSet("deprecated").Set("kubeconfig", instance.SchedulerKubeconfig),
		opts.Flags.FlagSet("leader election").Set("leader-elect", "false"),
	); err != nil {
		return nil, nil, err
	}
	if share.On() {
		return sharingScheduler(ctx, opts, server)
	}
	return app.Setup(ctx, opts)
}

// sharingScheduler is what app.Setup makes, but that it takes the informers of its API server and reaches it without a
// connection.
func sharingScheduler(ctx context.Context, opts *options.Options, server *apiServer) (*config.CompletedConfig, *scheduler.Scheduler, error) {
	defaults, err := latest.Default()
	if err != nil {
		return nil, nil, err
	}
	opts.ComponentConfig = defaults
	if err := errors.Join(opts.Validate()...); err != nil {
		return nil, nil, err
	}
	own, err := opts.Config(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := throughEndpoint(own.KubeConfig, &server.listener.Endpoint); err != nil {
		return nil, nil, err
	}
	if own.Client, err = kubernetes.NewForConfig(rest.AddUserAgent(own.KubeConfig, "scheduler")); err != nil {
		return nil, nil, err
	}
	own.EventBroadcaster.Shutdown() // that of the client which goes over the network
	own.EventBroadcaster = events.NewEventBroadcasterAdapterWithContext(ctx, own.Client)
	own.InformerFactory = newSchedulerInformers(server.informers, own.Client)
	dynamicClient, err := dynamic.NewForConfig(own.KubeConfig)
	if err != nil {
		return nil, nil, err
	}
	own.DynInformerFactory = dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, metav1.NamespaceAll, nil)
	completed := own.Complete()
	settings := completed.ComponentConfig
	made, err := scheduler.New(ctx, completed.Client, completed.InformerFactory, completed.DynInformerFactory,
		func(name string) events.EventRecorder { return completed.EventBroadcaster.NewRecorder(name) },
		scheduler.WithComponentConfigVersion(settings.APIVersion),
		scheduler.WithKubeConfig(completed.KubeConfig),
		scheduler.WithProfiles(settings.Profiles...),
		scheduler.WithPercentageOfNodesToScore(settings.PercentageOfNodesToScore),
		scheduler.WithPodMaxBackoffSeconds(settings.PodMaxBackoffSeconds),
		scheduler.WithPodInitialBackoffSeconds(settings.PodInitialBackoffSeconds),
		scheduler.WithPodMaxInUnschedulablePodsDuration(completed.PodMaxInUnschedulablePodsDuration),
		scheduler.WithExtenders(settings.Extenders...),
		scheduler.WithParallelism(settings.Parallelism),
	)
	return &completed, made, err
}
