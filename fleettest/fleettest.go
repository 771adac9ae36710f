// Package fleettest gives Go tests real control planes (API server, controllers, scheduler) of `fleet`: many of them for
// what a few of envtest cost, and with controllers, so that namespaces end and service accounts come.
//
//	func TestMain(m *testing.M) { fleettest.Main(m, 3) }
//
//	func TestIt(t *testing.T) {
//		wecs, namespace := fleettest.Use(t) // clean, in every one of them
//		client.New(wecs[0].Config, client.Options{})
//	}
//
// Test binaries of one module that run at the same time share the control planes; the last that ends takes them down.
package fleettest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// CommandVariable has the command to run instead of `fleet` in PATH, its words separated by spaces.
	CommandVariable = "FLEET_COMMAND"
	startTime       = 5 * time.Minute // of many on a small machine
	stopTime        = 2 * time.Minute
	namespaceTime   = 30 * time.Second
	poll            = 20 * time.Millisecond
)

// WEC is one control plane, ready.
type WEC struct {
	Name       string
	Kubeconfig string
	Config     *rest.Config // of its administrator
}

// Fleet is the control planes that were started.
type Fleet struct {
	WECs    []WEC
	command *exec.Cmd
	stdin   io.Closer
	stderr  *bytes.Buffer
}

type item struct {
	Name       string `json:"name"`
	Kubeconfig string `json:"kubeconfig"`
}

// Start returns `wecs` control planes, ready. They are named after the module in whose folders the test runs.
func Start(wecs int) (*Fleet, error) {
	words := strings.Fields(os.Getenv(CommandVariable))
	if len(words) == 0 {
		words = []string{"fleet"}
	}
	name, err := moduleName()
	if err != nil {
		return nil, err
	}
	words = append(words, "fixture", "hold", "--wecs", strconv.Itoa(wecs), "--name", name)
	fleet := &Fleet{command: exec.Command(words[0], words[1:]...), stderr: &bytes.Buffer{}}
	fleet.command.Stderr = fleet.stderr
	if fleet.stdin, err = fleet.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := fleet.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := fleet.command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w: install the testbed, or set %s", words[0], err, CommandVariable)
	}
	overdue := time.AfterFunc(startTime, func() { _ = fleet.command.Process.Kill() })
	var list struct {
		Items []item `json:"items"`
	}
	decoded := json.NewDecoder(stdout).Decode(&list)
	overdue.Stop()
	if decoded != nil {
		return nil, errors.Join(fmt.Errorf("no control planes: %w", decoded), fleet.Stop())
	}
	for _, one := range list.Items {
		config, err := clientcmd.BuildConfigFromFlags("", one.Kubeconfig)
		if err != nil {
			return nil, errors.Join(err, fleet.Stop())
		}
		fleet.WECs = append(fleet.WECs, WEC{one.Name, one.Kubeconfig, config})
	}
	return fleet, nil
}

// Stop takes the control planes down, unless another test binary uses them.
func (f *Fleet) Stop() error {
	if err := f.stdin.Close(); err != nil {
		return err
	}
	overdue := time.AfterFunc(stopTime, func() { _ = f.command.Process.Kill() })
	defer overdue.Stop()
	if err := f.command.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(f.stderr.String()))
	}
	return nil
}

// Namespace makes a namespace of one name in all control planes, and deletes it when the test ends.
func (f *Fleet) Namespace(t testing.TB) string {
	t.Helper()
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	name := "test-" + hex.EncodeToString(random)
	for _, wec := range f.WECs {
		core, err := client.NewForConfig(wec.Config)
		if err != nil {
			t.Fatalf("%s: %v", wec.Name, err)
		}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := core.Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
			t.Fatalf("%s: %v", wec.Name, err)
		}
		t.Cleanup(func() {
			// The test's own context is over.
			ctx, cancel := context.WithTimeout(context.Background(), namespaceTime)
			defer cancel()
			if err := core.Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				t.Errorf("%s: %v", wec.Name, err)
			}
		})
		err = wait.PollUntilContextTimeout(t.Context(), poll, namespaceTime, true, func(ctx context.Context) (bool, error) {
			_, err := core.ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return false, nil
			}
			return err == nil, err
		})
		if err != nil {
			t.Fatalf("%s: namespace %s has no service account: %v", wec.Name, name, err)
		}
	}
	return name
}

var shared *Fleet

// Main runs the tests of a package with `wecs` control planes, which Use gives to each, and exits.
func Main(m *testing.M, wecs int) {
	fleet, err := Start(wecs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleettest:", err)
		os.Exit(1)
	}
	shared = fleet
	code := m.Run()
	if err := fleet.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "fleettest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Use gives a test the control planes of Main, and a clean namespace in each.
func Use(t testing.TB) ([]WEC, string) {
	t.Helper()
	if shared == nil {
		t.Fatal("fleettest: TestMain of this package does not call fleettest.Main")
	}
	return shared.WECs, shared.Namespace(t)
}

// moduleName is the same for all packages of the module in which the test runs.
func moduleName() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil || at == filepath.Dir(at) {
			sum := sha256.Sum256([]byte(at))
			return "go-" + hex.EncodeToString(sum[:4]), nil
		}
	}
}
