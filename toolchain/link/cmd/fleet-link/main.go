// Command fleet-link is the link between a machine's WECs and the hub: toxiproxy's library with one proxy, whose delay
// and rate are changed while it runs over toxiproxy's HTTP API.
//
// Unlike toxiproxy-server it serves that API on a unix socket that only its owner may open (a port would let every user
// of the machine direct connections anywhere), and has a toxic of its own for the rate (see rate.go).
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// proxyName is the one proxy's name in the API.
const proxyName = "hub"

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "fleet-link: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "", "loopback address and port that the agents dial")
	upstream := flag.String("upstream", "", "address and port of the hub's API server")
	toxics := flag.String("toxics", "", "JSON file with the list of toxics to begin with")
	socket := flag.String("api", "", "unix socket of the API")
	flag.Parse()
	if *listen == "" || *upstream == "" || *toxics == "" || *socket == "" || flag.NArg() > 0 {
		return errors.New("--listen, --upstream, --toxics and --api are needed")
	}
	// Each connection is logged at level info, its end at level warn; a hub that cannot be reached is an error.
	logger := zerolog.New(os.Stdout).Level(zerolog.ErrorLevel).With().Timestamp().Logger()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger)
	proxy := toxiproxy.NewProxy(server, proxyName, *listen, *upstream)
	if err := add(proxy, *toxics); err != nil {
		return err
	}
	// The socket first: what cannot be distinguished from another link must not take connections.
	api, err := private(*socket)
	if err != nil {
		return err
	}
	defer os.Remove(*socket)
	if err := server.Collection.Add(proxy, true); err != nil {
		return err
	}
	return serve(&http.Server{Handler: server.Routes(), ReadTimeout: 15 * time.Second}, api)
}

// add gives the proxy its toxics before it takes the first connection.
func add(proxy *toxiproxy.Proxy, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, toxic := range list {
		if _, err := proxy.Toxics.AddToxicJson(bytes.NewReader(toxic)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// private listens on a socket of mode 0600; one that a killed process left behind is replaced.
func private(socket string) (net.Listener, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen("unix", socket)
}

// serve answers until the process is to end.
func serve(server *http.Server, listener net.Listener) error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case <-told:
		return server.Close()
	case err := <-failed:
		return err
	}
}
