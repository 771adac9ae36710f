package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folder has what the authority has issued before: its key is elsewhere.
type Folder struct {
	path string
	pem  []byte
	pool *x509.CertPool
}

// Open takes an authority's certificate and the folder with the pairs of clients.
func Open(cert, path string) (*Folder, error) {
	text, err := os.ReadFile(cert)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate", cert)
	}
	return &Folder{path, text, pool}, nil
}

// PEM is as in Issuer.
func (f *Folder) PEM() []byte { return f.pem }

// Pool is as in Issuer.
func (f *Folder) Pool() *x509.CertPool { return f.pool }

// Client reads <name>.crt and <name>.key, without the prefix of Kubernetes' users (system:node:). The error names the
// file that is missing or that says another name.
func (f *Folder) Client(name string, _ ...string) (Pair, error) {
	base := filepath.Join(f.path, name[strings.LastIndex(name, ":")+1:])
	cert, err := os.ReadFile(base + ".crt")
	if err != nil {
		return Pair{}, err
	}
	key, err := os.ReadFile(base + ".key")
	if err != nil {
		return Pair{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return Pair{}, fmt.Errorf("%s.crt: %w", base, err)
	}
	if found := pair.Leaf.Subject.CommonName; found != name {
		return Pair{}, fmt.Errorf("%s.crt is of %s, not of %s", base, found, name)
	}
	return Pair{cert, key}, nil
}

// Server signs one with its own key, as a kubelet does whose cluster gives it none: the address is known only here.
func (f *Folder) Server(name string, address net.IP, names ...string) (Pair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template := serving(name, address, names)
	template.NotAfter = time.Now().Add(lifetime)
	return sign(template, template, private, private)
}
