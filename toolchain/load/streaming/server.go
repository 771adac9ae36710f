// Package streaming is a server that does nothing but stream: it answers what `watching` asks of an API server, and what
// is measured against it is the client's own ceiling. It stores nothing and reads no request closely.
package streaming

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fleet.example/toolchain/load/lines"
)

// Order says where to leave the certificate (ca.crt) and the token (token), and how long an event is.
type Order struct {
	Folder string `json:"folder"`
	Bytes  int    `json:"bytes"`
}

// Validate names the field that is wrong.
func (o Order) Validate() error {
	if !filepath.IsAbs(o.Folder) {
		return fmt.Errorf("folder: %q is no absolute path", o.Folder)
	}
	if o.Bytes < 0 {
		return errors.New("bytes: not negative")
	}
	return nil
}

// Listening is the line after which it answers, on loopback.
type Listening struct {
	Event  string `json:"event"` // "listening"
	Server string `json:"server"`
	CA     string `json:"ca"`
	Token  string `json:"token_file"`
}

const (
	pending  = 100 // events of a watch that it may be behind; then it is thrown off, as an API server does
	validFor = 24 * time.Hour
)

// Run serves until the context ends.
func Run(ctx context.Context, order Order, out *lines.Writer) error {
	pair, ca, err := certificate()
	if err != nil {
		return err
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	files := Listening{Event: "listening", CA: filepath.Join(order.Folder, "ca.crt"), Token: filepath.Join(order.Folder, "token")}
	server := &server{token: hex.EncodeToString(secret), bytes: order.Bytes, watches: map[*watch]bool{}}
	for file, content := range map[string]string{files.CA: string(ca), files.Token: server.token} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return fmt.Errorf("%w: folder: %w", lines.ErrOrder, err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	files.Server = "https://" + listener.Addr().String()
	served := &http.Server{
		Handler: server, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 100}, // as an API server has it
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // of connections that a client ends
	}
	stop := context.AfterFunc(ctx, func() { _ = served.Close() })
	defer stop()
	if err := out.Write(files); err != nil {
		return err
	}
	if err := served.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// watch gets the events of one object, or of all.
type watch struct {
	object string
	events chan []byte
}

type server struct {
	token string
	bytes int

	mu      sync.Mutex
	watches map[*watch]bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.token:
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") != "":
		s.stream(w, r)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"metadata":{"resourceVersion":"1"},"items":[]}`)
	case r.Method == http.MethodPatch:
		s.change(w, r)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// change sends the object to every watch, with the annotations of the patch.
func (s *server) change(w http.ResponseWriter, r *http.Request) {
	var patch struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	name := path.Base(r.URL.Path)
	event, err := s.event(name, patch.Metadata.Annotations)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	for one := range s.watches {
		if one.object != "" && one.object != name {
			continue
		}
		select {
		case one.events <- event:
		default:
			delete(s.watches, one)
			close(one.events)
		}
	}
	s.mu.Unlock()
	_, _ = io.WriteString(w, "{}")
}

func (s *server) event(name string, annotations map[string]string) ([]byte, error) {
	body := map[string]any{"type": "MODIFIED", "object": map[string]any{
		"metadata": map[string]any{"name": name, "annotations": annotations}, "padding": "",
	}}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	body["object"].(map[string]any)["padding"] = strings.Repeat("x", max(0, s.bytes-len(text)-1))
	text, err = json.Marshal(body)
	return append(text, '\n'), err
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	one := &watch{strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name="), make(chan []byte, pending)}
	s.mu.Lock()
	s.watches[one] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watches, one)
	}()
	flush := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	_ = flush.Flush() // an end of the connection is seen below
	for {
		select {
		case <-r.Context().Done():
			return
		case event, more := <-one.events:
			if !more {
				return
			}
			if _, err := w.Write(event); err != nil {
				return
			}
			if err := flush.Flush(); err != nil {
				return
			}
		}
	}
}

// certificate is a new one for loopback, which is its own authority, and the same as PEM.
func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "fleet-loadgen"},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(validFor), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, text, nil
}
