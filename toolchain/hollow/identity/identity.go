// Package identity has the certificates of hollow nodes: each has its own, as real ones do, issued here or read from a folder.
package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

const (
	backdated = time.Hour // for clocks that differ
	lifetime  = 10 * 365 * 24 * time.Hour
)

// Issuer gives nodes their certificates.
type Issuer interface {
	// PEM is the certificate of the cluster's authority.
	PEM() []byte
	// Pool trusts that authority alone.
	Pool() *x509.CertPool
	// Client is a certificate that says who a client is.
	Client(name string, groups ...string) (Pair, error)
	// Server is a certificate for a server at an address.
	Server(name string, address net.IP, names ...string) (Pair, error)
}

// Authority signs.
type Authority struct {
	cert *x509.Certificate
	key  crypto.PrivateKey
	pem  []byte
}

// Pair is a certificate and its key, PEM.
type Pair struct{ Cert, Key []byte }

// Load reads an authority's certificate and key.
func Load(cert, key string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", cert, key, err)
	}
	text, err := os.ReadFile(cert)
	if err != nil {
		return nil, err
	}
	return &Authority{pair.Leaf, pair.PrivateKey, text}, nil
}

// PEM is as in Issuer.
func (a *Authority) PEM() []byte { return a.pem }

// Pool is as in Issuer.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Client issues one.
func (a *Authority) Client(name string, groups ...string) (Pair, error) {
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Server issues one.
func (a *Authority) Server(name string, address net.IP, names ...string) (Pair, error) {
	return a.issue(serving(name, address, names))
}

func serving(name string, address net.IP, names []string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names,
		IPAddresses: []net.IP{address},
	}
}

func (a *Authority) issue(template *x509.Certificate) (Pair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template.NotAfter = time.Now().Add(lifetime)
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	return sign(template, a.cert, private, a.key)
}

// sign makes a pair of a template: by `key`, which is that of the certificate `parent`.
func sign(template, parent *x509.Certificate, private *ecdsa.PrivateKey, key crypto.PrivateKey) (Pair, error) {
	var err error
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Pair{}, err
	}
	template.NotBefore = time.Now().Add(-backdated)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, key)
	if err != nil {
		return Pair{}, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}, nil
}
