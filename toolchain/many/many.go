// Package many runs many instances of a program in one process (a host), each for as long as a process that stands for it
// (a member) lives.
//
// A member is what a supervisor starts, stops, and starts again: `fleet-member --host=SOCKET --name=NAME ARGUMENT...`. It
// costs a megabyte, where the program of its own would cost ten or thirty. It dials the host's socket, hands over its
// name and arguments, and waits. The instance ends when its member does, and the other way about; so an instance that
// fails, is stopped, or is taken away is to the supervisor what a process of its own was, and touches no other instance.
//
// What a host cannot keep apart: a panic outside of Kubernetes' own recovery, or exhausted memory, ends the process and
// with it all its instances. Their members end too, and the supervisor starts all again.
package many

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hello is what a member says first, as one line of JSON.
type Hello struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

// Bye is what the host says when an instance has ended; Error is empty when its member requested it.
type Bye struct {
	Error string `json:"error"`
}

// Start runs one instance until ctx is done. It returns when nothing of it runs.
type Start func(ctx context.Context, name string, args []string) error

const (
	// helloTime bounds how long one that dials may take to say who it is.
	helloTime = 10 * time.Second
	// longestHello is in bytes.
	longestHello = 1 << 20
)

// longestEnd is how long an instance may take to end before its successor is refused.
const longestEnd = 30 * time.Second

// Host holds the instances of the process.
type Host struct {
	start    Start
	patience time.Duration
	ended    sync.WaitGroup

	mu        sync.Mutex
	instances map[string]chan struct{} // by name; closed when it has ended
}

// NewHost makes a host without instances.
func NewHost(start Start) *Host {
	return &Host{start: start, patience: longestEnd, instances: map[string]chan struct{}{}}
}

// Names are those of the instances that run, sorted.
func (h *Host) Names() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := make([]string, 0, len(h.instances))
	for name := range h.instances {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Serve takes members from a listener until ctx is done, and returns when all instances have ended or patience has.
func (h *Host) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				return err
			}
			return h.wait()
		}
		h.ended.Go(func() { h.member(ctx, conn) })
	}
}

func (h *Host) wait() error {
	all := make(chan struct{})
	go func() { h.ended.Wait(); close(all) }()
	select {
	case <-all:
		return nil
	case <-time.After(h.patience):
		return fmt.Errorf("%s did not end within %v", strings.Join(h.Names(), ", "), h.patience)
	}
}

// member runs the instance of one connection.
func (h *Host) member(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	var hello Hello
	_ = conn.SetReadDeadline(time.Now().Add(helloTime))
	reader := bufio.NewReader(io.LimitReader(conn, longestHello))
	line, err := reader.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &hello)
	}
	if err == nil && hello.Name == "" {
		err = errors.New("it has no name")
	}
	if err == nil {
		_ = conn.SetReadDeadline(time.Time{})
		err = h.run(ctx, conn, hello)
	}
	bye := Bye{}
	if err != nil {
		bye.Error = err.Error()
		log.Printf("%s: ended: %v", hello.Name, err)
	}
	_ = json.NewEncoder(conn).Encode(bye) // the member may be gone
}

func (h *Host) run(ctx context.Context, conn net.Conn, hello Hello) error {
	over, err := h.enter(ctx, hello.Name)
	if err != nil {
		return err
	}
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // a member says nothing more: what is read is its end
		_, _ = conn.Read(make([]byte, 1))
		cancel()
	}()
	result := make(chan error, 1)
	go func() {
		defer h.leave(hello.Name, over)
		result <- h.guarded(own, hello)
	}()
	select {
	case err = <-result:
	case <-own.Done():
		select {
		case err = <-result:
		case <-time.After(h.patience):
			return fmt.Errorf("it did not end within %v", h.patience)
		}
	}
	switch {
	case own.Err() != nil:
		return nil // it was to end; what it said on the way does not matter
	case err == nil:
		return errors.New("it ended by itself")
	}
	return err
}

// guarded turns a panic of the instance's own goroutine into its error.
func (h *Host) guarded(ctx context.Context, hello Hello) (err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("panic: %v", failure)
		}
	}()
	return h.start(ctx, hello.Name, hello.Args)
}

// enter waits until an instance of that name that is still ending has ended.
func (h *Host) enter(ctx context.Context, name string) (chan struct{}, error) {
	timer := time.NewTimer(h.patience)
	defer timer.Stop()
	for {
		h.mu.Lock()
		before, runs := h.instances[name]
		if !runs {
			over := make(chan struct{})
			h.instances[name] = over
			h.mu.Unlock()
			return over, nil
		}
		h.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, fmt.Errorf("another %s runs, or does not end", name)
		}
	}
}

func (h *Host) leave(name string, over chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.instances, name)
	close(over)
}

// Pages serves what is to be seen of the process:
//
//	GET /instances         names of the instances that run
//	GET /debug/pprof/...   profiles of the process, all instances together
//	GET /metrics           by metrics, where it is not nil
func Pages(host *Host, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /instances", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(host.Names())
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return mux
}

// Listen binds a unix socket with mode 0600. One that a dead process left is replaced; one that answers is not.
func Listen(socket string) (net.Listener, error) {
	if other, err := net.DialTimeout("unix", socket, time.Second); err == nil {
		_ = other.Close()
		return nil, fmt.Errorf("another process answers at %s", socket)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(socket, 0o600)
}
