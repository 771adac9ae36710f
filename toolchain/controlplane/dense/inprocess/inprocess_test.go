package inprocess

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const patience = 10 * time.Second

// opened is a client of a handler.
func opened(handler http.HandlerFunc, certificates ...*x509.Certificate) *http.Client {
	var endpoint Endpoint
	endpoint.Open(handler)
	return &http.Client{Transport: endpoint.Client(certificates...)}
}

func TestARequestComesAsOverTheNetwork(t *testing.T) {
	certificate := &x509.Certificate{Raw: []byte("me")}
	client := opened(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprintln(r.Method, r.RequestURI, r.Host, r.ProtoMajor, r.TLS.PeerCertificates[0] == certificate))
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "not sent")
		fmt.Fprintf(w, "got %s", content)
	}, certificate)
	answer, err := client.Post("https://plane:6443/api/v1?watch=1", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || string(content) != "got hello" || answer.StatusCode != http.StatusTeapot {
		t.Errorf("%d %q %v", answer.StatusCode, content, err)
	}
	if seen := answer.Header.Get("X-Seen"); seen != "POST /api/v1?watch=1 plane:6443 2 true\n" {
		t.Errorf("the handler saw %q", seen)
	}
	if answer.Header.Get("X-Late") != "" {
		t.Error("a header was sent that was set after the code")
	}
}

func TestAWatchIsReadAsItIsWritten(t *testing.T) {
	next, ended := make(chan string), make(chan struct{})
	client := opened(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.(http.Flusher).Flush()
		for {
			select {
			case line := <-next:
				fmt.Fprintln(w, line)
			case <-r.Context().Done():
				return
			}
		}
	})
	answer, err := client.Get("https://plane/watch")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for _, line := range []string{"one", "two"} {
		next <- line
		if !lines.Scan() || lines.Text() != line {
			t.Fatalf("read %q, wrote %q", lines.Text(), line)
		}
	}
	_ = answer.Body.Close()
	waitFor(t, ended, "the handler did not learn that its reader has gone")
}

func TestACancelledRequestEndsOnBothSides(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	client := opened(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-begun; cancel() }()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://plane/", nil)
	if _, err := client.Do(request); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	waitFor(t, ended, "the handler goes on")
}

func TestACancelledReadEnds(t *testing.T) {
	client := opened(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://plane/", nil)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	cancel()
	if _, err := answer.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("error is %v: a watch that was cut off must not look finished", err)
	}
}

func TestAHandlerThatPanicsFailsItsRequestAlone(t *testing.T) {
	client := opened(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			fmt.Fprint(w, "half")
		}
		if r.URL.Path != "/well" {
			panic(http.ErrAbortHandler)
		}
	})
	if _, err := client.Get("https://plane/early"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
	answer, err := client.Get("https://plane/late")
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(content) != "half" {
		t.Errorf("read %q, %v", content, err)
	}
	answer, err = client.Get("https://plane/well")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestAClosedDoorRefuses(t *testing.T) {
	var endpoint Endpoint
	client := &http.Client{Transport: endpoint.Client()}
	if _, err := client.Get("https://plane/"); !errors.Is(err, ErrNoServer) {
		t.Errorf("error is %v", err)
	}
	endpoint.Open(http.NotFoundHandler())
	if answer, err := client.Get("https://plane/"); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", answer, err)
	}
	endpoint.Close()
	if _, err := client.Get("https://plane/"); !errors.Is(err, ErrNoServer) {
		t.Errorf("error is %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	client := opened(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Query().Get("n")) })
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			answer, err := client.Get(fmt.Sprintf("https://plane/?n=%d", n))
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if content, _ := io.ReadAll(answer.Body); string(content) != fmt.Sprint(n) {
				t.Errorf("requested %d, got %q", n, content)
			}
		})
	}
	all.Wait()
}

func waitFor(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal(what)
	}
}
