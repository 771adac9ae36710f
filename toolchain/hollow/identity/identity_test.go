package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func authority(t *testing.T, valid time.Duration) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := map[string]*pem.Block{"ca.crt": {Type: "CERTIFICATE", Bytes: der}, "ca.key": {Type: "PRIVATE KEY", Bytes: private}}
	for name, block := range files {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Load(filepath.Join(folder, "ca.crt"), filepath.Join(folder, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func parsed(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	both, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return both.Leaf
}

func TestAClientIsANode(t *testing.T) {
	ca := authority(t, time.Hour)
	pair, err := ca.Client("system:node:hollow-001", "system:nodes")
	if err != nil {
		t.Fatal(err)
	}
	cert := parsed(t, pair)
	if cert.Subject.CommonName != "system:node:hollow-001" || cert.Subject.Organization[0] != "system:nodes" {
		t.Errorf("subject %v", cert.Subject)
	}
	options := x509.VerifyOptions{Roots: ca.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(options); err != nil {
		t.Error(err)
	}
	options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if _, err := cert.Verify(options); err == nil {
		t.Error("a client's certificate serves")
	}
}

func TestAServerIsVerifiedByItsAddress(t *testing.T) {
	ca := authority(t, time.Hour)
	pair, err := ca.Server("system:node:hollow-001", net.ParseIP("192.0.2.7"), "hollow-001")
	if err != nil {
		t.Fatal(err)
	}
	cert := parsed(t, pair)
	for name, good := range map[string]bool{"192.0.2.7": true, "hollow-001": true, "192.0.2.8": false} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: name}); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoCertificateOutlivesItsAuthority(t *testing.T) {
	ca := authority(t, time.Hour)
	pair, err := ca.Client("a")
	if err != nil {
		t.Fatal(err)
	}
	if cert := parsed(t, pair); cert.NotAfter.After(ca.cert.NotAfter) {
		t.Errorf("%v after %v", cert.NotAfter, ca.cert.NotAfter)
	}
}

func TestAKeyOfAnotherIsRefused(t *testing.T) {
	folder := t.TempDir()
	if _, err := Load(filepath.Join(folder, "ca.crt"), filepath.Join(folder, "ca.key")); err == nil {
		t.Error("files that do not exist were read")
	}
}
