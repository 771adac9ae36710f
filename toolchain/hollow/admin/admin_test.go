package admin

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

type node struct {
	name string
	cut  atomic.Bool
}

func (n *node) Status() Status {
	return Status{Name: n.name, Address: "192.0.2.7", Port: 20000, Partitioned: n.cut.Load()}
}
func (n *node) Cut()  { n.cut.Store(true) }
func (n *node) Heal() { n.cut.Store(false) }

func served(t *testing.T) (*httptest.Server, *node) {
	t.Helper()
	first, second := &node{name: "hollow-001"}, &node{name: "hollow-002"}
	server := httptest.NewServer(Handler([]Node{first, second}))
	t.Cleanup(server.Close)
	return server, second
}

func post(t *testing.T, url string) (int, Status) {
	t.Helper()
	got, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var status Status
	if err := json.NewDecoder(got.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, status
}

func TestANodeIsPartitionedAndHealed(t *testing.T) {
	server, second := served(t)
	if code, status := post(t, server.URL+"/nodes/hollow-002/partition"); code != http.StatusOK || !status.Partitioned {
		t.Errorf("%d %+v", code, status)
	}
	if !second.cut.Load() {
		t.Error("it is not cut")
	}
	if code, status := post(t, server.URL+"/nodes/hollow-002/heal"); code != http.StatusOK || status.Partitioned {
		t.Errorf("%d %+v", code, status)
	}
	if second.cut.Load() {
		t.Error("it is still cut")
	}
}

func TestANodeOfAnotherProcessIsNotFound(t *testing.T) {
	server, _ := served(t)
	if code, _ := post(t, server.URL+"/nodes/hollow-003/partition"); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

func TestAllNodesAreListed(t *testing.T) {
	server, _ := served(t)
	got, err := http.Get(server.URL + "/nodes")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var all []Status
	if err := json.NewDecoder(got.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Name != "hollow-001" || all[1].Name != "hollow-002" {
		t.Errorf("%+v", all)
	}
}

func TestProfilesAreServed(t *testing.T) {
	server, _ := served(t)
	got, err := http.Get(server.URL + "/debug/pprof/goroutine")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestTheSocketIsOursAlone(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(socket, nil, 0o644); err != nil { // left by a dead process
		t.Fatal(err)
	}
	listener, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	found, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if found.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", found.Mode().Perm())
	}
	go func() {
		for {
			made, err := listener.Accept()
			if err != nil {
				return
			}
			_ = made.(*net.UnixConn).Close()
		}
	}()
	if _, err := Listen(socket); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("a second listener: %v", err)
	}
}
