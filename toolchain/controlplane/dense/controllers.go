package dense

import (
	"context"
	"fmt"
	"slices"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/controller-manager/pkg/clientbuilder"
	"k8s.io/controller-manager/pkg/healthz"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/config"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// checkController says why a controller cannot be run here.
func checkController(name string) error {
	if name == names.ServiceAccountTokenController {
		return fmt.Errorf("%s is not run here: it makes tokens for Secrets of the old kind, and upstream does not export it", name)
	}
	if !slices.Contains(app.KnownControllers(), name) {
		return fmt.Errorf("%q is no controller of kube-controller-manager (long names, as deployment-controller)", name)
	}
	return nil
}

// startControllers runs the controllers of an instance until ctx is done; the function it returns waits for their end.
//
// Upstream's own app.Run is not used: it exits the process when a controller cannot start.
func startControllers(ctx context.Context, instance settings.Instance) (func(), error) {
	completed, err := configureControllers(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("kube-controller-manager: %w", err)
	}
	completed.EventBroadcaster.StartStructuredLogging(0)
	completed.EventBroadcaster.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: completed.Client.CoreV1().Events("")})

	builder := clientbuilder.SimpleControllerClientBuilder{ClientConfig: completed.Kubeconfig}
	controllers, err := app.CreateControllerContext(ctx, completed, builder, builder)
	if err == nil {
		descriptors := app.NewControllerDescriptors()
		delete(descriptors, names.ServiceAccountTokenController)
		err = app.StartControllers(ctx, controllers, descriptors, nil, healthz.NewMutableHealthzHandler())
	}
	if err != nil {
		completed.EventBroadcaster.Shutdown()
		return nil, fmt.Errorf("kube-controller-manager: %w", err)
	}
	controllers.InformerFactory.Start(ctx.Done())
	controllers.ObjectOrMetadataInformerFactory.Start(ctx.Done())
	close(controllers.InformersStarted)
	return func() {
		controllers.InformerFactory.Shutdown()
		completed.EventBroadcaster.Shutdown()
	}, nil
}

// configureControllers sets fields, never flags: making upstream's flags a second time in a process panics.
func configureControllers(ctx context.Context, instance settings.Instance) (*config.CompletedConfig, error) {
	setup.Lock()
	defer setup.Unlock()
	opts, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	opts.Generic.ClientConnection.Kubeconfig = instance.KCMKubeconfig
	opts.Generic.Controllers = instance.Controllers
	opts.Generic.LeaderElection.LeaderElect = false
	opts.SecureServing.BindPort = 0
	opts.ParsedFlags = &cliflag.NamedFlagSets{}
	config, err := opts.Config(ctx, app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases())
	if err != nil {
		return nil, err
	}
	return config.Complete(), nil
}
