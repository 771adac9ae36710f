// Package node runs upstream's kubelet and kube-proxy with mocked backends (pkg/kubemark), many in one process.
package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/client-go/kubernetes"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/server"
	"k8s.io/kubernetes/pkg/kubemark"
	proxy "k8s.io/kubernetes/pkg/proxy/kubemark"
	"k8s.io/kubernetes/pkg/volume"

	"fleet.example/toolchain/hollow/admin"
	"fleet.example/toolchain/hollow/backend"
	"fleet.example/toolchain/hollow/identity"
	"fleet.example/toolchain/hollow/partition"
	"fleet.example/toolchain/hollow/settings"
)

const (
	// Label is on every hollow node; kwok's carry it with another value.
	Label      = "fleet-testbed/node"
	LabelValue = "hollow"

	protobuf   = "application/vnd.kubernetes.protobuf"
	clusterDNS = "10.96.0.10" // of the service range that the testbed gives its control planes
	domain     = "cluster.local"
)

// Process is what the nodes of one process share.
type Process struct {
	Settings  settings.Settings
	Issuer    identity.Issuer
	Streaming *backend.Streaming
	OpenFiles int64 // limit of the process: a kubelet sets it to what its configuration says
}

// Node is one that was started. It runs until the process ends: a kubelet cannot be stopped inside it.
type Node struct {
	settings.Node
	address string
	line    *partition.Line
	runtime *backend.Runtime
}

// Status is what the admin socket reports.
func (n *Node) Status() admin.Status {
	return admin.Status{
		Name: n.Name, Address: n.address, Port: n.Port, Pods: n.runtime.Pods(), Partitioned: n.line.IsCut(),
	}
}

// Cut the node off from its API server.
func (n *Node) Cut() { n.line.Cut() }

// Heal ends that.
func (n *Node) Heal() { n.line.Heal() }

// New is a node that was not started.
func (p *Process) New(node settings.Node) *Node {
	return &Node{node, p.Settings.Address, partition.New(), backend.NewRuntime(node.Number, p.Streaming)}
}

// Start the node's kubelet and proxy.
func (p *Process) Start(ctx context.Context, n *Node) error {
	if err := os.RemoveAll(n.Root); err != nil { // of a process that ended, and took its containers along
		return err
	}
	if err := os.MkdirAll(n.Root, 0o700); err != nil {
		return err
	}
	go n.runtime.Forget(ctx)
	if err := p.kubelet(ctx, n); err != nil {
		return fmt.Errorf("%s: kubelet: %w", n.Name, err)
	}
	if err := p.proxy(n); err != nil {
		return fmt.Errorf("%s: kube-proxy: %w", n.Name, err)
	}
	return nil
}

// dial makes the configuration and the connection of one client of a node: by a certificate of its own, over its line.
func (p *Process) dial(n *Node, agent, user string, groups ...string) (*rest.Config, *http.Client, error) {
	pair, err := p.Issuer.Client(user, groups...)
	if err != nil {
		return nil, nil, err
	}
	config := &rest.Config{
		Host:            p.Settings.Server,
		TLSClientConfig: rest.TLSClientConfig{CAData: p.Issuer.PEM(), CertData: pair.Cert, KeyData: pair.Key},
		ContentConfig:   rest.ContentConfig{ContentType: protobuf, AcceptContentTypes: protobuf + ",application/json"},
		UserAgent:       agent,
		Dial:            n.line.Dial,
	}
	client, err := rest.HTTPClientFor(config)
	return config, client, err
}

func (p *Process) kubelet(ctx context.Context, n *Node) error {
	flags, c := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: n.Name, KubeletPort: n.Port, MaxPods: p.Settings.Pods, NodeLabels: map[string]string{Label: LabelValue},
	})
	if err := os.RemoveAll(flags.RootDirectory); err != nil { // upstream made it in the folder for temporary files
		return err
	}
	flags.RootDirectory = n.Root
	flags.NodeIP = p.Settings.Address
	c.Address = p.Settings.Address
	c.PodLogsDir = filepath.Join(n.Root, "logs")
	c.StaticPodPath = ""
	c.MaxOpenFiles = p.OpenFiles
	c.MakeIPTablesUtilChains = false // they would be the machine's
	// Upstream's function gives the defaults of the kubelet's flags, which let everybody in; these are of its file.
	c.Authentication.Anonymous.Enabled = false
	c.Authentication.Webhook.Enabled = true
	c.Authorization.Mode = config.KubeletAuthorizationModeWebhook
	c.ClusterDNS, c.ClusterDomain = []string{clusterDNS}, domain

	who := "system:node:" + n.Name
	api, connection, err := p.dial(n, "kubelet", who, "system:nodes")
	if err != nil {
		return err
	}
	api.QPS, api.Burst = float32(c.KubeAPIQPS), int(c.KubeAPIBurst)
	client, err := kubernetes.NewForConfigAndClient(api, connection)
	if err != nil {
		return err
	}
	// Leases are not held up by other requests, nor wait longer than until the next one; as upstream's kubelet has it.
	beat := rest.CopyConfig(api)
	beat.QPS = -1
	patient := *connection
	patient.Timeout = min(c.NodeStatusUpdateFrequency.Duration, leaseInterval(c))
	heartbeat, err := kubernetes.NewForConfigAndClient(beat, &patient)
	if err != nil {
		return err
	}

	machine := backend.NewMachine(n.Name, p.Settings.CPU, p.Settings.Memory, n.runtime)
	hollow := kubemark.NewHollowKubelet(flags, c, client, heartbeat, machine, n.runtime.Images, n.runtime,
		groups{cm.NewStubContainerManagerWithDevicePluginResource(v1.ResourceList{})})
	deps := hollow.KubeletDeps
	deps.OSInterface = &files{}
	if deps.TLSOptions, err = p.serving(n, who); err != nil {
		return err
	}
	if deps.Auth, err = p.auth(n, client, c); err != nil {
		return err
	}
	deps.VolumePlugins = withoutCSI(deps.VolumePlugins)
	if p.Settings.Events {
		broadcaster := record.NewBroadcaster(record.WithContext(ctx))
		broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: client.CoreV1().Events("")})
		source := v1.EventSource{Component: "kubelet", Host: n.Name}
		deps.Recorder = recorder{broadcaster.NewRecorder(legacyscheme.Scheme, source), n.runtime}
	}
	go hollow.Run(ctx)
	return nil
}

// serving is the TLS of the kubelet's port: a certificate of its own.
func (p *Process) serving(n *Node, who string) (*server.TLSOptions, error) {
	pair, err := p.Issuer.Server(who, net.ParseIP(p.Settings.Address), n.Name)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return nil, err
	}
	return &server.TLSOptions{Config: &tls.Config{
		Certificates:       []tls.Certificate{certificate},
		ClientAuth:         tls.RequestClientCert, // verified by whom auth asks; callers may bring a token instead
		ClientCAs:          p.Issuer.Pool(),
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: n.line.Accept,
	}}, nil
}

// auth is a kubelet's own: client certificates and tokens, and the API server says what callers may do. Upstream's reads
// the certificates' authority from a file that it watches, which takes an inotify instance of each node.
func (p *Process) auth(n *Node, client kubernetes.Interface, c *config.KubeletConfiguration) (server.AuthInterface, error) {
	authn, _, err := kubeletapp.BuildAuthn(client.AuthenticationV1(), c.Authentication)
	if err != nil {
		return nil, err
	}
	authz, err := kubeletapp.BuildAuthz(client.AuthorizationV1(), c.Authorization)
	if err != nil {
		return nil, err
	}
	options := x509.DefaultVerifyOptions()
	options.Roots = p.Issuer.Pool()
	both := union.New(x509.New(options, x509.CommonNameUserConversion), authn)
	return server.NewKubeletAuth(both, server.NewNodeAuthorizerAttributesGetter(types.NodeName(n.Name)), authz), nil
}

func (p *Process) proxy(n *Node) error {
	api, connection, err := p.dial(n, "kube-proxy", "system:kube-proxy")
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfigAndClient(api, connection)
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	hollow := proxy.NewHollowProxy(n.Name, client, client.CoreV1(), broadcaster,
		broadcaster.NewRecorder(legacyscheme.Scheme, "kube-proxy"))
	go func() {
		klog.Fatalf("%s: kube-proxy ended: %v", n.Name, hollow.Run()) // supervision brings all nodes back
	}()
	return nil
}

// withoutCSI drops the plugin that keeps its node in a variable of the package.
func withoutCSI(all []volume.VolumePlugin) []volume.VolumePlugin {
	var kept []volume.VolumePlugin
	for _, plugin := range all {
		if !strings.Contains(plugin.GetPluginName(), "csi") {
			kept = append(kept, plugin)
		}
	}
	return kept
}
