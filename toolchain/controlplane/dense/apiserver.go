package dense

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"fleet.example/toolchain/controlplane/dense/settings"
	"fleet.example/toolchain/controlplane/dense/share"
	"fleet.example/toolchain/controlplane/dense/socket"
	"fleet.example/toolchain/controlplane/dense/store"
)

const (
	// readyDeadline is for one instance on a machine where as many start as there are cores (2 s measured).
	readyDeadline = 5 * time.Minute
	// drainTime is what requests in flight get after the request to stop an instance.
	drainTime = 2 * time.Second
)

// setup guards what upstream keeps once per process while options are made and parsed (component registry, flags).
var setup sync.Mutex

// apiServer is one running kube-apiserver.
type apiServer struct {
	port      *socket.Port
	listener  *socket.Listener
	stores    *store.Stores
	loopback  *rest.Config
	informers informers.SharedInformerFactory // of its own loopback client
	cancel    context.CancelFunc
	ended     chan struct{} // closed when it has ended
	err       error         // why; valid once ended is closed
}

// startAPIServer builds and runs a kube-apiserver behind a port; it does not wait until it is ready. After an error the port
// is as it was.
func startAPIServer(etcd settings.Etcd, instance settings.Instance, own *socket.Port) (*apiServer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var stores *store.Stores
	if share.On() {
		var err error
		if stores, err = store.New(etcd); err != nil {
			cancel()
			return nil, err
		}
	}
	server := &apiServer{port: own, listener: own.Serve(), stores: stores, cancel: cancel, ended: make(chan struct{})}
	if err := server.run(ctx, etcd, instance); err != nil {
		cancel()
		_ = server.listener.Close()
		server.closeStores()
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	return server, nil
}

func (s *apiServer) run(ctx context.Context, etcd settings.Etcd, instance settings.Instance) error {
	config, err := s.configure(ctx, etcd, instance)
	if err != nil {
		return err
	}
	if !instance.OpenAPI {
		config.KubeAPIs.ControlPlane.Generic.SkipOpenAPIInstallation = true
		config.ApiExtensions.GenericConfig.SkipOpenAPIInstallation = true
		config.Aggregator.GenericConfig.SkipOpenAPIInstallation = true
		config.Aggregator.GenericConfig.OpenAPIConfig = nil // else the aggregator merges what nobody serves: 6 MB
	}
	if share.On() {
		s.share(config)
	}
	s.informers = config.KubeAPIs.ControlPlane.VersionedInformers
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := app.CreateServerChain(completed)
	if err != nil {
		return err
	}
	chain.GenericAPIServer.ShutdownTimeout = drainTime
	s.loopback = chain.GenericAPIServer.LoopbackClientConfig
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	s.listener.Endpoint.Open(chain.GenericAPIServer.Handler)
	go func() {
		defer close(s.ended)
		defer s.listener.Endpoint.Close()
		s.err = prepared.Run(ctx)
	}()
	return nil
}

// share lets the three servers of a kube-apiserver take definitions from all instances, and one connection to etcd.
func (s *apiServer) share(config *app.Config) {
	shareDefinitions(config)
	for _, getter := range []*generic.RESTOptionsGetter{
		&config.KubeAPIs.ControlPlane.Generic.RESTOptionsGetter,
		&config.ApiExtensions.GenericConfig.RESTOptionsGetter,
		&config.ApiExtensions.ExtraConfig.CRDRESTOptionsGetter,
		&config.Aggregator.GenericConfig.RESTOptionsGetter,
	} {
		s.stores.Share(getter)
	}
}

func (s *apiServer) configure(ctx context.Context, etcd settings.Etcd, instance settings.Instance) (*app.Config, error) {
	setup.Lock()
	defer setup.Unlock()
	opts := options.NewServerRunOptions()
	flags := pflag.NewFlagSet(instance.Name, pflag.ContinueOnError)
	sections := opts.Flags()
	for _, section := range sections.FlagSets {
		flags.AddFlagSet(section)
	}
	if err := flags.Parse(arguments(etcd, instance)); err != nil {
		return nil, err
	}
	opts.SecureServing.Listener = s.listener
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(completed.Validate()...); err != nil {
		return nil, err
	}
	return app.NewConfig(completed)
}

// arguments are the kube-apiserver flags of an instance.
func arguments(etcd settings.Etcd, instance settings.Instance) []string {
	args := []string{
		"--bind-address=" + instance.BindAddress,
		// Without it the address of the default route is looked up, and a machine may have none.
		"--advertise-address=" + instance.BindAddress,
		"--secure-port=" + strconv.Itoa(instance.SecurePort),
		"--etcd-servers=" + strings.Join(etcd.Servers, ","),
		"--etcd-prefix=" + instance.EtcdPrefix,
		"--etcd-cafile=" + etcd.CAFile,
		"--etcd-certfile=" + etcd.CertFile,
		"--etcd-keyfile=" + etcd.KeyFile,
		"--service-cluster-ip-range=" + instance.ServiceClusterIPRange,
		"--tls-cert-file=" + instance.TLSCertFile,
		"--tls-private-key-file=" + instance.TLSKeyFile,
		"--client-ca-file=" + instance.ClientCAFile,
		"--service-account-issuer=" + instance.ServiceAccountIssuer,
		"--service-account-key-file=" + instance.ServiceAccountKeyFile,
		"--service-account-signing-key-file=" + instance.ServiceAccountKeyFile,
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--profiling=false",
		// Endpoints of the kubernetes Service may not be loopback addresses; nothing in a fleet uses them.
		"--endpoint-reconciler-type=none",
	}
	if instance.RequestheaderClientCAFile != "" {
		args = append(args,
			"--requestheader-client-ca-file="+instance.RequestheaderClientCAFile,
			"--requestheader-username-headers=X-Remote-User",
			"--requestheader-group-headers=X-Remote-Group",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--requestheader-allowed-names=front-proxy-client",
		)
	}
	if n := instance.APIServerMaxRequests; n > 0 {
		args = append(args, "--max-requests-inflight="+strconv.Itoa(n), "--max-mutating-requests-inflight="+strconv.Itoa(max(1, n/2)))
	}
	return append(args, instance.APIServerExtraArgs...)
}

// waitReady returns when /readyz says ok, which includes that every start hook has ended.
func (s *apiServer) waitReady(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(s.loopback)
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, readyDeadline, true, func(ctx context.Context) (bool, error) {
		select {
		case <-s.ended:
			return false, fmt.Errorf("kube-apiserver ended: %w", s.err)
		default:
		}
		last = client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}

// stop ends the server: it drains for drainTime, then drops every connection. It returns when nothing of it runs; the port
// is still held, and serves nobody.
func (s *apiServer) stop() {
	s.cancel()
	timer := time.AfterFunc(2*drainTime, s.listener.DropAll)
	defer timer.Stop()
	<-s.ended
	_ = s.listener.Close()
	s.listener.DropAll()
	s.closeStores()
}

// closeStores ends the connection to etcd, if there is one for all resources.
func (s *apiServer) closeStores() {
	if s.stores != nil {
		s.stores.Close()
	}
}
