// Command kubefleet-member-agent runs KubeFleet's member controllers for one member cluster: the one that joins it and
// reports that it lives (InternalMemberCluster), and the one that applies Works.
//
// It is not upstream's memberagent: that one links Azure's property provider, serves v1alpha1 too, and takes its client
// limits from the libraries without a flag. Here both limits are flags, with the same defaults; everything is put together
// from the same packages, with the same numbers of workers.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/pprof"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/dynamic"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	clusterv1beta1 "go.goms.io/fleet/apis/cluster/v1beta1"
	placementv1beta1 "go.goms.io/fleet/apis/placement/v1beta1"
	imcv1beta1 "go.goms.io/fleet/pkg/controllers/internalmembercluster/v1beta1"
	"go.goms.io/fleet/pkg/controllers/workapplier"
	fleetmetrics "go.goms.io/fleet/pkg/metrics"
	"go.goms.io/fleet/pkg/utils"
	"go.goms.io/fleet/pkg/utils/parallelizer"
)

// workers is how many Works are reconciled at a time, as in upstream's command.
const workers = 5

// settings are the flags.
type settings struct {
	cluster, hub, member      string
	metrics, profiles         string
	health                    string
	hubQPS, memberQPS         float64
	hubBurst, memberBurst     int
	availability, driftChecks time.Duration
}

func main() {
	own := settings{}
	own.register(flag.CommandLine)
	klog.InitFlags(nil)
	flag.Parse()
	defer klog.Flush()
	if own.cluster == "" || own.hub == "" || own.member == "" {
		fmt.Fprintln(os.Stderr, "--cluster-name, --hub-kubeconfig and --member-kubeconfig are needed")
		os.Exit(2)
	}
	ctrl.SetLogger(klog.Background())
	if err := own.run(ctrl.SetupSignalHandler()); err != nil {
		klog.ErrorS(err, "member agent ended", "cluster", own.cluster)
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

func (s *settings) register(flags *flag.FlagSet) {
	flags.StringVar(&s.cluster, "cluster-name", "", "Name of the member cluster.")
	flags.StringVar(&s.hub, "hub-kubeconfig", "", "Kubeconfig of this member at the hub.")
	flags.StringVar(&s.member, "member-kubeconfig", "", "Kubeconfig of the member cluster.")
	flags.StringVar(&s.metrics, "metrics-bind-address", "0", "Where metrics are served; 0 for nowhere.")
	flags.StringVar(&s.health, "health-probe-bind-address", "0", "Where /healthz is served; 0 for nowhere.")
	flags.StringVar(&s.profiles, "profiling-bind-address", "0", "Where profiles are served; 0 for nowhere.")
	flags.Float64Var(&s.hubQPS, "hub-api-qps", float64(rest.DefaultQPS), "Requests per second to the hub.")
	flags.IntVar(&s.hubBurst, "hub-api-burst", rest.DefaultBurst, "The same, burst.")
	flags.Float64Var(&s.memberQPS, "member-api-qps", float64(rest.DefaultQPS), "Requests per second to the member.")
	flags.IntVar(&s.memberBurst, "member-api-burst", rest.DefaultBurst, "The same, burst.")
	flags.DurationVar(&s.availability, "availability-check-interval", 5*time.Second,
		"Between two looks at an object that is not available yet.")
	flags.DurationVar(&s.driftChecks, "drift-detection-interval", 15*time.Second, "Between two looks at applied objects.")
}

// config reads a kubeconfig and sets the limits of every client that is made of it.
func config(path string, qps float64, burst int) (*rest.Config, error) {
	found, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	found.QPS, found.Burst = float32(qps), burst
	return found, nil
}

func (s *settings) run(ctx context.Context) error {
	hubConfig, err := config(s.hub, s.hubQPS, s.hubBurst)
	if err != nil {
		return err
	}
	memberConfig, err := config(s.member, s.memberQPS, s.memberBurst)
	if err != nil {
		return err
	}
	hub, member, err := s.managers(hubConfig, memberConfig)
	if err != nil {
		return err
	}
	if err := s.controllers(ctx, hub, member, memberConfig); err != nil {
		return err
	}
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return hub.Start(ctx) })
	running.Go(func() error { return member.Start(ctx) })
	if s.profiles != "0" {
		running.Go(func() error { return profile(ctx, s.profiles) })
	}
	return running.Wait()
}

// managers are one per API server, as controller-runtime has them; the metrics registry is one, so one serves it.
func (s *settings) managers(hubConfig, memberConfig *rest.Config) (ctrl.Manager, ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(clusterv1beta1.AddToScheme(scheme))
	utilruntime.Must(placementv1beta1.AddToScheme(scheme))
	metrics.Registry.MustRegister(fleetmetrics.JoinResultMetrics, fleetmetrics.LeaveResultMetrics, fleetmetrics.WorkApplyTime)
	hub, err := ctrl.NewManager(hubConfig, ctrl.Options{
		Scheme:                 scheme,
		Metrics:                metricsserver.Options{BindAddress: s.metrics},
		HealthProbeBindAddress: s.health,
		Cache:                  cache.Options{DefaultNamespaces: map[string]cache.Config{s.namespace(): {}}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("hub: %w", err)
	}
	if err := hub.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return nil, nil, err
	}
	member, err := ctrl.NewManager(memberConfig, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("member: %w", err)
	}
	return hub, member, nil
}

// namespace is where the hub keeps what is for this member.
func (s *settings) namespace() string {
	return fmt.Sprintf(utils.NamespaceNameFormat, s.cluster)
}

func (s *settings) controllers(ctx context.Context, hub, member ctrl.Manager, memberConfig *rest.Config) error {
	spoke, err := dynamic.NewForConfig(memberConfig)
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(memberConfig)
	if err != nil {
		return err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(memberConfig, client)
	if err != nil {
		return err
	}
	works := workapplier.NewReconciler(
		hub.GetClient(), s.namespace(), spoke, member.GetClient(), mapper, hub.GetEventRecorderFor("work_applier"),
		workers, parallelizer.DefaultNumOfWorkers, s.availability, s.driftChecks)
	if err := works.SetupWithManager(hub); err != nil {
		return fmt.Errorf("work applier: %w", err)
	}
	joining, err := imcv1beta1.NewReconciler(ctx, hub.GetClient(), member.GetConfig(), member.GetClient(), works, nil)
	if err != nil {
		return fmt.Errorf("internal member cluster: %w", err)
	}
	return joining.SetupWithManager(hub)
}

// profile serves /debug/pprof until the context ends.
func profile(ctx context.Context, address string) error {
	pages := http.NewServeMux()
	pages.HandleFunc("/debug/pprof/", pprof.Index)
	pages.HandleFunc("/debug/pprof/profile", pprof.Profile)
	server := &http.Server{Addr: address, Handler: pages, ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}
