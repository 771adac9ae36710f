package fleettest

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/core/v1"
)

func TestMain(m *testing.M) { Main(m, 2) }

func write(t *testing.T) (string, int) {
	t.Helper()
	wecs, namespace := Use(t)
	if len(wecs) != 2 || wecs[0].Config.Host == wecs[1].Config.Host {
		t.Fatalf("not two control planes: %v", wecs)
	}
	found := 0
	for _, wec := range wecs {
		core, err := client.NewForConfig(wec.Config)
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := core.Secrets(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found += len(secrets.Items)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "left"}}
		if _, err := core.Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return namespace, found
}

func TestEachTestHasACleanNamespace(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		t.Run("one", func(t *testing.T) {
			namespace, found := write(t)
			if found != 0 || seen[namespace] || !strings.HasPrefix(namespace, "test-") {
				t.Errorf("namespace %s holds %d objects", namespace, found)
			}
			seen[namespace] = true
		})
	}
}

func TestAWrongCommandIsNamed(t *testing.T) {
	t.Setenv(CommandVariable, "/nowhere/fleet")
	if _, err := Start(1); err == nil || !strings.Contains(err.Error(), CommandVariable) {
		t.Errorf("not named: %v", err)
	}
}

func TestTheReasonOfTheCommandIsGiven(t *testing.T) {
	if _, err := Start(0); err == nil || !strings.Contains(err.Error(), "wecs=0") {
		t.Errorf("no reason: %v", err)
	}
}
