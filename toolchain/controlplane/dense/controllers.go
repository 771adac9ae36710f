package dense

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/controller-manager/pkg/clientbuilder"
	"k8s.io/controller-manager/pkg/healthz"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/config"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"

	"fleet.example/toolchain/controlplane/dense/settings"
	"fleet.example/toolchain/controlplane/dense/share"
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
func startControllers(ctx context.Context, instance settings.Instance, server *apiServer) (func(), error) {
	completed, err := configureControllers(ctx, instance, server)
	if err != nil {
		return nil, fmt.Errorf("kube-controller-manager: %w", err)
	}
	completed.EventBroadcaster.StartStructuredLogging(0)
	completed.EventBroadcaster.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: completed.Client.CoreV1().Events("")})

	builder := clientbuilder.SimpleControllerClientBuilder{ClientConfig: completed.Kubeconfig}
	controllers, err := app.CreateControllerContext(ctx, completed, builder, builder)
	if err == nil && share.On() {
		shareInformers(ctx, &controllers, builder, server.informers)
	}
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
		if !share.On() { // else they end with the API server
			controllers.InformerFactory.Shutdown()
		}
		completed.EventBroadcaster.Shutdown()
	}, nil
}

// shareInformers has controllers take the informers that the API server of the same instance has anyway: one watch and one
// copy of each object for both. Upstream trims the same from the objects of both.
func shareInformers(ctx context.Context, controllers *app.ControllerContext, builder clientbuilder.ControllerClientBuilder,
	shared informers.SharedInformerFactory,
) {
	client := metadata.NewForConfigOrDie(builder.ConfigOrDie("metadata-informers"))
	others := metadatainformer.NewSharedInformerFactoryWithOptions(client, controllers.ResyncPeriod(), metadatainformer.WithTransform(trim))
	controllers.InformerFactory = shared
	controllers.ObjectOrMetadataInformerFactory = informerfactory.NewInformerFactory(shared, others)
	if controllers.GraphBuilder == nil {
		return
	}
	ignored := map[schema.GroupResource]struct{}{}
	for _, r := range controllers.ComponentConfig.GarbageCollectorController.GCIgnoredResources {
		ignored[schema.GroupResource{Group: r.Group, Resource: r.Resource}] = struct{}{}
	}
	controllers.GraphBuilder = garbagecollector.NewDependencyGraphBuilder(ctx, client, controllers.RESTMapper, ignored,
		controllers.ObjectOrMetadataInformerFactory, controllers.InformersStarted)
}

// trim drops what no controller reads, as upstream's own informers do.
func trim(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil && accessor.GetManagedFields() != nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

// fewerWorkers is what one small control plane needs. Upstream's are for a cluster of thousands of nodes, and each
// waits with a stack of its own.
func fewerWorkers(opts *options.KubeControllerManagerOptions) {
	opts.GarbageCollectorController.ConcurrentGCSyncs = 4
	opts.NamespaceController.ConcurrentNamespaceSyncs = 2
	opts.DeploymentController.ConcurrentDeploymentSyncs = 2
	opts.ReplicaSetController.ConcurrentRSSyncs = 2
	opts.StatefulSetController.ConcurrentStatefulSetSyncs = 2
	opts.DaemonSetController.ConcurrentDaemonSetSyncs = 2
	opts.JobController.ConcurrentJobSyncs = 2
	opts.CronJobController.ConcurrentCronJobSyncs = 2
	opts.EndpointSliceController.ConcurrentServiceEndpointSyncs = 2
}

// configureControllers sets fields, never flags: making upstream's flags a second time in a process panics.
func configureControllers(ctx context.Context, instance settings.Instance, server *apiServer) (*config.CompletedConfig, error) {
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
	if share.On() {
		fewerWorkers(opts)
	}
	opts.ParsedFlags = &cliflag.NamedFlagSets{}
	config, err := opts.Config(ctx, app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases())
	if err != nil {
		return nil, err
	}
	if share.On() {
		if err := throughEndpoint(config.Kubeconfig, &server.listener.Endpoint); err != nil {
			return nil, err
		}
		if config.Client, err = kubernetes.NewForConfig(rest.AddUserAgent(config.Kubeconfig, "kube-controller-manager")); err != nil {
			return nil, err
		}
	}
	return config.Complete(), nil
}
