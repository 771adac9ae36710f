package socket

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

const patience = 10 * time.Second

func listening(t *testing.T) *Port {
	t.Helper()
	p, err := Listen(context.Background(), "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// serving is an HTTP server behind the port, until it is stopped.
func serving(t *testing.T, p *Port, word string) (*Listener, func()) {
	t.Helper()
	l := p.Serve()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, word) })}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(l) }()
	return l, func() {
		_ = server.Close()
		<-ended
		_ = l.Close()
		l.DropAll()
	}
}

func get(t *testing.T, p *Port) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Get("http://" + p.Addr().String())
	if err != nil {
		t.Error(err)
		return ""
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

func TestWhoConnectsWhileNobodyServesIsServedByTheNext(t *testing.T) {
	p := listening(t)
	_, stop := serving(t, p, "first")
	if got := get(t, p); got != "first" {
		t.Fatalf("got %q", got)
	}
	knocked := p.Leave()
	stop()
	answers := make(chan string, 3)
	var all sync.WaitGroup
	for range cap(answers) {
		all.Go(func() { answers <- get(t, p) })
	}
	wait(t, knocked, "nobody was heard")
	_, stop = serving(t, p, "second")
	all.Wait()
	for range cap(answers) {
		if got := <-answers; got != "second" {
			t.Errorf("got %q", got)
		}
	}
	stop()
}

func TestIdleCountsFromTheLastConnection(t *testing.T) {
	p := listening(t)
	l, stop := serving(t, p, "word")
	defer stop()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return l.Idle() == 0 }, "a connection does not count")
	_ = conn.Close()
	until(t, func() bool { return l.Idle() > 0 }, "a connection that has ended counts")
	if l.Idle() > patience {
		t.Errorf("idle for %v", l.Idle())
	}
}

func TestAClosedPortIsFreeAndDropsWhoWaits(t *testing.T) {
	p := listening(t)
	knocked := p.Leave()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	wait(t, knocked, "nobody was heard")
	_ = p.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that waited was served")
	}
	again, err := net.Listen("tcp", p.Addr().String())
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	_ = again.Close()
}

func TestCloseIsHeardWhereAConnectionWouldBe(t *testing.T) {
	p := listening(t)
	knocked := p.Leave()
	_ = p.Close()
	wait(t, knocked, "a closed port is not heard")
}

func TestAListenerThatIsClosedTakesNoMore(t *testing.T) {
	p := listening(t)
	l := p.Serve()
	_ = l.Close()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read ended with %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("it accepts")
	}
}

func wait(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal(what)
	}
}

func until(t *testing.T, condition func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}
