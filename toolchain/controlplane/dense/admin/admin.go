// Package admin serves a Host over a unix socket.
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

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/lifecycle"
)

// Handler serves a Host:
//
//	GET  /instances              every Status, by name
//	POST /reload                 Changes, which are under way when it answers; 400 and nothing changed for a wrong file
//	POST /instances/NAME/stop    its Status once it has stopped
//	POST /instances/NAME/start   its Status once it is ready or has failed
//	GET  /debug/pprof/...        profiles of the process, all instances together, as net/http/pprof serves them
//
// An error is {"error": TEXT} with 404 for a name that is not there.
func Handler(host *lifecycle.Host) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /instances", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, host.Instances(), nil)
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) {
		changes, err := host.Reload()
		answer(w, changes, err)
	})
	mux.HandleFunc("POST /instances/{name}/stop", func(w http.ResponseWriter, r *http.Request) {
		status, err := host.StopInstance(r.PathValue("name"))
		answer(w, status, err)
	})
	mux.HandleFunc("POST /instances/{name}/start", func(w http.ResponseWriter, r *http.Request) {
		status, err := host.StartInstance(r.PathValue("name"))
		answer(w, status, err)
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func answer(w http.ResponseWriter, value any, err error) {
	code := http.StatusOK
	if err != nil {
		code = http.StatusBadRequest
		if errors.Is(err, lifecycle.ErrUnknown) {
			code = http.StatusNotFound
		}
		value = map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		klog.ErrorS(err, "Admin answer was not read")
	}
}

// Listen binds the unix socket. One that a dead process left is replaced; one that answers is not.
func Listen(socket string) (net.Listener, error) {
	if other, err := net.DialTimeout("unix", socket, time.Second); err == nil {
		_ = other.Close()
		return nil, fmt.Errorf("admin_socket: another process answers at %s", socket)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("admin_socket: %w", err)
	}
	inner, err := net.Listen("unix", socket) // 0600 by the umask that the command sets
	if err != nil {
		return nil, fmt.Errorf("admin_socket: %w", err)
	}
	return inner, nil
}
