package many

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline is for what happens at once.
const deadline = 10 * time.Second

// fixture is a host whose instances do what their first argument says.
type fixture struct {
	host    *Host
	socket  string
	cancel  context.CancelFunc
	served  chan error
	release chan struct{} // ends instances that hang

	mu   sync.Mutex
	runs map[string]int
}

func begin(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{socket: filepath.Join(t.TempDir(), "s"), served: make(chan error, 1), release: make(chan struct{}), runs: map[string]int{}}
	f.host = NewHost(f.run)
	listener, err := Listen(f.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() { f.served <- f.host.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-f.release:
		default:
			close(f.release)
		}
	})
	return f
}

func (f *fixture) run(ctx context.Context, name string, args []string) error {
	f.mu.Lock()
	f.runs[name]++
	f.mu.Unlock()
	switch args[0] {
	case "fail":
		return errors.New("broken")
	case "panic":
		panic("worse")
	case "return":
		return nil
	case "hang":
		<-f.release
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// member dials as fleet-member does.
func (f *fixture) member(t *testing.T, name string, args ...string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: f.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := json.NewEncoder(conn).Encode(Hello{name, args}); err != nil {
		t.Fatal(err)
	}
	return conn
}

func bye(t *testing.T, conn net.Conn) Bye {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(deadline))
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the host did not answer: %v", err)
	}
	var said Bye
	if err := json.Unmarshal(line, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

func (f *fixture) until(t *testing.T, names ...string) {
	t.Helper()
	end := time.Now().Add(deadline)
	for !slices.Equal(f.host.Names(), names) {
		if time.Now().After(end) {
			t.Fatalf("instances are %v, not %v", f.host.Names(), names)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAnInstanceLivesAsLongAsItsMember(t *testing.T) {
	f := begin(t)
	a, b := f.member(t, "a", "run"), f.member(t, "b", "run")
	f.until(t, "a", "b")
	_ = a.Close() // killed
	f.until(t, "b")
	_ = b.CloseWrite() // instructed to end
	if said := bye(t, b); said.Error != "" {
		t.Errorf("host says %q", said.Error)
	}
	f.until(t)
}

func TestOneThatFailsTouchesNoNeighbour(t *testing.T) {
	for how, word := range map[string]string{"fail": "broken", "panic": "panic: worse", "return": "ended by itself"} {
		t.Run(how, func(t *testing.T) {
			f := begin(t)
			f.member(t, "good", "run")
			f.until(t, "good")
			if said := bye(t, f.member(t, "bad", how)); !strings.Contains(said.Error, word) {
				t.Errorf("host says %q", said.Error)
			}
			f.until(t, "good")
			if f.runs["good"] != 1 {
				t.Errorf("the neighbour was started %d times", f.runs["good"])
			}
		})
	}
}

func TestOneThatHangsTouchesNoNeighbourAndHasNoSuccessor(t *testing.T) {
	f := begin(t)
	f.host.patience = 50 * time.Millisecond
	f.member(t, "good", "run")
	hung := f.member(t, "hung", "hang")
	f.until(t, "good", "hung")
	_ = hung.CloseWrite()
	if said := bye(t, hung); !strings.Contains(said.Error, "did not end") {
		t.Errorf("host says %q", said.Error)
	}
	if said := bye(t, f.member(t, "hung", "run")); !strings.Contains(said.Error, "does not end") {
		t.Errorf("host says %q of a second one", said.Error)
	}
	f.until(t, "good", "hung")
	close(f.release)
	f.until(t, "good")
	f.member(t, "hung", "run")
	f.until(t, "good", "hung")
}

func TestASuccessorWaitsForItsPredecessor(t *testing.T) {
	f := begin(t)
	first := f.member(t, "a", "hang")
	f.until(t, "a")
	_ = first.Close()
	f.member(t, "a", "run")
	close(f.release)
	end := time.Now().Add(deadline)
	for {
		f.mu.Lock()
		runs := f.runs["a"]
		f.mu.Unlock()
		if runs == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it ran %d times", runs)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAHostThatEndsEndsAll(t *testing.T) {
	f := begin(t)
	members := []*net.UnixConn{f.member(t, "a", "run"), f.member(t, "b", "run")}
	f.until(t, "a", "b")
	f.cancel()
	for _, conn := range members {
		if said := bye(t, conn); said.Error != "" {
			t.Errorf("host says %q", said.Error)
		}
	}
	if err := <-f.served; err != nil {
		t.Errorf("host ended with %v", err)
	}
	f.until(t)
}

func TestNonsenseIsRefused(t *testing.T) {
	f := begin(t)
	for _, line := range []string{"{}\n", "what\n"} {
		conn, err := net.Dial("unix", f.socket)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, line)
		if said := bye(t, conn); said.Error == "" {
			t.Errorf("%q was taken", line)
		}
		_ = conn.Close()
	}
	f.until(t)
}

func TestManyComeAndGo(t *testing.T) {
	f := begin(t)
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			conn := f.member(t, fmt.Sprintf("m%02d", n), "run")
			if n%2 == 0 {
				_ = conn.CloseWrite()
				bye(t, conn)
			}
		})
	}
	all.Wait()
	left := make([]string, 0, 20)
	for n := 1; n < 40; n += 2 {
		left = append(left, fmt.Sprintf("m%02d", n))
	}
	f.until(t, left...)
}

func TestASocketThatAnswersIsNotTaken(t *testing.T) {
	f := begin(t)
	if _, err := Listen(f.socket); err == nil {
		t.Error("a second host took the socket")
	}
	dead := filepath.Join(t.TempDir(), "d")
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(dead)
	if err != nil {
		t.Fatalf("what a dead process left stayed: %v", err)
	}
	_ = listener.Close()
}

func TestPagesNameTheInstances(t *testing.T) {
	f := begin(t)
	f.member(t, "a", "run")
	f.until(t, "a")
	server := httptest.NewServer(Pages(f.host, nil))
	defer server.Close()
	for path, want := range map[string]int{"/instances": http.StatusOK, "/debug/pprof/": http.StatusOK, "/metrics": http.StatusNotFound} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}
