package identity

import (
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder has the pair of one node under the names of two.
func folder(t *testing.T) (*Authority, *Folder) {
	t.Helper()
	ca, path := authority(t, time.Hour), t.TempDir()
	pair, err := ca.Client("system:node:hollow-001", "system:nodes")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"ca.crt": ca.PEM()}
	for _, name := range []string{"hollow-001", "hollow-002"} {
		files[name+".crt"], files[name+".key"] = pair.Cert, pair.Key
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Open(filepath.Join(path, "ca.crt"), path)
	if err != nil {
		t.Fatal(err)
	}
	return ca, found
}

func TestAFolderGivesWhatWasIssued(t *testing.T) {
	ca, found := folder(t)
	pair, err := found.Client("system:node:hollow-001", "system:nodes")
	if err != nil {
		t.Fatal(err)
	}
	options := x509.VerifyOptions{Roots: found.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := parsed(t, pair).Verify(options); err != nil {
		t.Error(err)
	}
	if string(found.PEM()) != string(ca.PEM()) {
		t.Error("another authority")
	}
}

func TestAPairThatIsMissingOrOfAnotherNodeIsNamed(t *testing.T) {
	_, found := folder(t)
	for _, name := range []string{"system:node:hollow-002", "system:kube-proxy"} {
		_, err := found.Client(name)
		short := name[strings.LastIndex(name, ":")+1:]
		if err == nil || !strings.Contains(err.Error(), short+".crt") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAServerOfAFolderIsItsOwnAuthority(t *testing.T) {
	_, found := folder(t)
	pair, err := found.Server("system:node:hollow-001", net.ParseIP("10.244.0.7"), "hollow-001")
	if err != nil {
		t.Fatal(err)
	}
	cert, own := parsed(t, pair), x509.NewCertPool()
	own.AddCert(cert)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: own, DNSName: "10.244.0.7"}); err != nil {
		t.Error(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: found.Pool(), DNSName: "10.244.0.7"}); err == nil {
		t.Error("signed by the cluster's authority")
	}
}

func TestAnAuthorityThatIsNoCertificateIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, filepath.Dir(file)); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}
