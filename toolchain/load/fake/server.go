// Package fake is a control plane for the tests of this module: TLS, readyz, a definition, and widgets with versions.
package fake

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fleet.example/toolchain/load/cluster"
)

// Server counts what it is asked.
type Server struct {
	Cluster cluster.Cluster

	mu       sync.Mutex
	widgets  map[string]map[string]any
	writing  map[string]int
	requests map[string]int
	worst    int
	answers  map[string][]int
}

// Start serves until the test ends.
func Start(t *testing.T, name string) *Server {
	t.Helper()
	s := &Server{
		widgets: map[string]map[string]any{}, writing: map[string]int{}, requests: map[string]int{}, answers: map[string][]int{},
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	folder := t.TempDir()
	ca, token := filepath.Join(folder, "ca.crt"), filepath.Join(folder, "token")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for file, content := range map[string][]byte{ca: text, token: []byte("secret\n")} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Cluster = cluster.Cluster{Name: name, Server: server.URL, CA: ca, TokenFile: token}
	return s
}

// Answer makes the next requests of "METHOD PATH" end with these codes, one each.
func (s *Server) Answer(request string, codes ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[request] = codes
}

// Requests are those of a method so far.
func (s *Server) Requests(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

// MostWriters is the largest number of updates of one object at a time.
func (s *Server) MostWriters() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.worst
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Method == http.MethodPut {
		s.enter(r.URL.Path, 1)
		defer s.enter(r.URL.Path, -1)
	}
	code, answer := s.answer(r, body)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) enter(path string, change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing[path] += change
	s.worst = max(s.worst, s.writing[path])
}

func (s *Server) answer(r *http.Request, body []byte) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.Method]++
	key := r.Method + " " + r.URL.Path
	if codes := s.answers[key]; len(codes) > 0 {
		s.answers[key] = codes[1:]
		return codes[0], nil
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		return http.StatusUnauthorized, nil
	}
	var given map[string]any
	if len(body) > 0 && json.Unmarshal(body, &given) != nil {
		return http.StatusBadRequest, nil
	}
	switch {
	case r.URL.Path == "/readyz", r.URL.Path == "/api/v1/namespaces/default":
		return http.StatusOK, nil
	case strings.HasPrefix(r.URL.Path, "/apis/apiextensions.k8s.io/"):
		condition := map[string]string{"type": "Established", "status": "True"}
		return http.StatusOK, map[string]any{"status": map[string]any{"conditions": []any{condition}}}
	case r.URL.Path == cluster.DiscoveryPath(s.Cluster.Name):
		return http.StatusOK, map[string]any{"resources": []any{map[string]string{"name": "memwidgets"}}}
	default:
		return s.widget(r, given)
	}
}

func (s *Server) widget(r *http.Request, given map[string]any) (int, any) {
	path := r.URL.Path
	if r.Method == http.MethodPost {
		path += "/" + fmt.Sprint(given["metadata"].(map[string]any)["name"])
	}
	stored, there := s.widgets[path]
	switch {
	case r.Method == http.MethodPost && there:
		return http.StatusConflict, nil
	case r.Method == http.MethodPost:
		given["metadata"].(map[string]any)["resourceVersion"] = "1"
		s.widgets[path] = given
		return http.StatusCreated, given
	case !there:
		return http.StatusNotFound, nil
	case r.Method == http.MethodGet:
		return http.StatusOK, stored
	}
	version := stored["metadata"].(map[string]any)["resourceVersion"]
	if given["metadata"].(map[string]any)["resourceVersion"] != version {
		return http.StatusConflict, nil
	}
	given["metadata"].(map[string]any)["resourceVersion"] = fmt.Sprint(version, "+")
	s.widgets[path] = given
	return http.StatusOK, given
}

// Seq is the sum of what writers have counted up.
func (s *Server) Seq() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, widget := range s.widgets {
		total += int(widget["spec"].(map[string]any)["seq"].(float64))
	}
	return total
}
