// Command hollow runs the hollow nodes of one process: real kubelets and kube-proxies that run no container.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's request metrics, as in upstream's programs
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/klog/v2"

	"fleet.example/toolchain/hollow/admin"
	"fleet.example/toolchain/hollow/backend"
	"fleet.example/toolchain/hollow/identity"
	"fleet.example/toolchain/hollow/node"
	"fleet.example/toolchain/hollow/registry"
	"fleet.example/toolchain/hollow/settings"
)

// settling is when the garbage of the start goes back to the kernel.
const settling = 20 * time.Second

func main() {
	klog.InitFlags(nil)
	file := flag.String("config", "", "file with the settings of the nodes (JSON)")
	var place settings.Place
	flag.StringVar(&place.Server, "server", "", "URL of the API server, where the file does not know it")
	flag.StringVar(&place.Address, "address", "", "address of the nodes, where the file does not know it")
	flag.Parse()
	if *file == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: hollow --config FILE [--server URL] [--address IP] [klog's flags]")
		os.Exit(2)
	}
	found, err := settings.Read(*file, place)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := run(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// issuer of the nodes' certificates: the authority itself, or what it has issued before.
func issuer(found settings.Settings) (identity.Issuer, error) {
	if found.Credentials != "" {
		return identity.Open(found.CA, found.Credentials)
	}
	return identity.Load(found.CA, found.CAKey)
}

func run(found settings.Settings) error {
	unix.Umask(0o077)
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	certificates, err := issuer(found)
	if err != nil {
		return err
	}
	streaming, err := backend.NewStreaming()
	if err != nil {
		return err
	}
	socket, err := admin.Listen(found.AdminSocket)
	if err != nil {
		return err
	}
	registry.Tolerate()
	process := &node.Process{Settings: found, Issuer: certificates, Streaming: streaming, OpenFiles: int64(files.Max)}
	nodes := make([]*node.Node, 0, found.Count)
	served := make([]admin.Node, 0, found.Count)
	for _, each := range found.Nodes() {
		made := process.New(each)
		nodes, served = append(nodes, made), append(served, made)
	}
	ended := make(chan error, 2)
	go func() { ended <- fmt.Errorf("streaming: %w", streaming.Serve()) }()
	go func() {
		server := &http.Server{Handler: admin.Handler(served), ReadHeaderTimeout: time.Minute}
		ended <- fmt.Errorf("admin socket: %w", server.Serve(socket))
	}()
	begin := time.Now()
	for _, each := range nodes {
		if err := process.Start(context.Background(), each); err != nil {
			return err
		}
	}
	klog.InfoS("Started hollow nodes", "count", len(nodes), "seconds", time.Since(begin).Seconds())
	time.AfterFunc(settling, func() {
		debug.FreeOSMemory()
		debug.FreeOSMemory() // what lay in a sync.Pool is garbage only for the second collection
	})
	return errors.Join(<-ended)
}
