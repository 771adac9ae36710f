package dense

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/config"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"k8s.io/kubernetes/pkg/scheduler"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// startScheduler runs the scheduler of an instance until ctx is done; the function it returns waits for its end.
//
// Upstream's own app.Run is not used: it registers the process's configz, which fails the second time.
func startScheduler(ctx context.Context, instance settings.Instance) (func(), error) {
	completed, sched, err := configureScheduler(ctx, instance)
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

func configureScheduler(ctx context.Context, instance settings.Instance) (*config.CompletedConfig, *scheduler.Scheduler, error) {
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
	return app.Setup(ctx, opts)
}
