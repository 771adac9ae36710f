// Package admin serves the nodes of a process over a unix socket.
package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"time"
)

// Status is what one node is.
type Status struct {
	Name        string `json:"name"`
	Address     string `json:"address"`
	Port        int    `json:"port"`
	Pods        int    `json:"pods"` // sandboxes that are ready
	Partitioned bool   `json:"partitioned"`
}

// Node is what the socket can do with one.
type Node interface {
	Status() Status
	Cut()
	Heal()
}

// Handler serves nodes:
//
//	GET  /nodes                  every Status, by number
//	POST /nodes/NAME/partition   its Status once it is cut off from its API server
//	POST /nodes/NAME/heal        its Status once it may connect again
//	GET  /debug/pprof/...        profiles of the process, all nodes together, as net/http/pprof serves them
//
// An error is {"error": TEXT} with 404 for a node that is not there.
func Handler(nodes []Node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /nodes", func(w http.ResponseWriter, _ *http.Request) {
		all := make([]Status, 0, len(nodes))
		for _, node := range nodes {
			all = append(all, node.Status())
		}
		answer(w, http.StatusOK, all)
	})
	act := func(what func(Node)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name := r.PathValue("name")
			for _, node := range nodes {
				if node.Status().Name == name {
					what(node)
					answer(w, http.StatusOK, node.Status())
					return
				}
			}
			answer(w, http.StatusNotFound, map[string]string{"error": "no node of this process is called " + name})
		}
	}
	mux.HandleFunc("POST /nodes/{name}/partition", act(Node.Cut))
	mux.HandleFunc("POST /nodes/{name}/heal", act(Node.Heal))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func answer(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value) // a caller that went away hears nothing
}

// Listen binds the unix socket, mode 0600. One that a dead process left is replaced; one that answers is not.
func Listen(socket string) (net.Listener, error) {
	if other, err := net.DialTimeout("unix", socket, time.Second); err == nil {
		_ = other.Close()
		return nil, fmt.Errorf("admin_socket: another process answers at %s", socket)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("admin_socket: %w", err)
	}
	listener, err := net.Listen("unix", socket) // the command's umask keeps others out until the next line
	if err != nil {
		return nil, fmt.Errorf("admin_socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("admin_socket: %w", err)
	}
	return listener, nil
}
