package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"fleet.example/toolchain/controlplane/dense/lifecycle"
	"fleet.example/toolchain/controlplane/dense/settings"
)

type idle struct{ ended chan struct{} }

func (i idle) Ended() <-chan struct{} { return i.ended }
func (i idle) Err() error             { return nil }
func (i idle) Stop()                  { close(i.ended) }

func serve(t *testing.T, load func() (map[string]settings.Instance, error)) func(method, path string) (int, any) {
	t.Helper()
	start := func(settings.Instance) (lifecycle.ControlPlane, error) { return idle{make(chan struct{})}, nil }
	host := lifecycle.NewHost(settings.Config{Parallelism: 1}, load, start)
	socket := filepath.Join(t.TempDir(), "s")
	listening, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: Handler(host)}
	go func() { _ = server.Serve(listening) }()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = server.Close()
		host.End()
	})
	return func(method, path string) (int, any) {
		t.Helper()
		request, err := http.NewRequest(method, "http://dense"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var found any
		if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, found
	}
}

func TestOrdersAndAnswers(t *testing.T) {
	var wrong error
	call := serve(t, func() (map[string]settings.Instance, error) {
		return map[string]settings.Instance{"wec1": {Name: "wec1"}}, wrong
	})
	status := func(state string) map[string]any {
		return map[string]any{"name": "wec1", "state": state, "error": ""}
	}
	check := func(method, path string, code int, wanted any) {
		t.Helper()
		found, body := call(method, path)
		if one, is := body.(map[string]any); is {
			delete(one, "ready_seconds")
			delete(one, "wakes")
			delete(one, "wake_seconds")
		}
		if found != code || !reflect.DeepEqual(body, wanted) {
			t.Fatalf("%s %s: %d %v", method, path, found, body)
		}
	}
	check("GET", "/instances", 200, []any{})
	check("POST", "/instances/wec1/stop", 404, map[string]any{"error": "unknown instance: wec1"})
	check("POST", "/reload", 200, map[string]any{"started": []any{"wec1"}, "restarted": []any{}, "removed": []any{}})
	check("POST", "/instances/wec1/start", 200, status("ready"))
	check("POST", "/instances/wec1/stop", 200, status("stopped"))
	check("POST", "/instances/wec1/start", 200, status("ready"))
	wrong = errors.New("a.json: name: wrong")
	check("POST", "/reload", 400, map[string]any{"error": "a.json: name: wrong"})
}

func TestASocketOfADeadProcessIsReplacedAndOneThatAnswersIsNot(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	first, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(socket); err == nil {
		t.Fatal("it took the socket of a process that answers")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = first.Close()
	if _, err := os.Stat(socket); err != nil {
		t.Fatal(err)
	}
	second, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}
