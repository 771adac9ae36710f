package settings

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func known(name string) error {
	if name != "deployment-controller" {
		return errors.New("no such controller: " + name)
	}
	return nil
}

func write(t *testing.T, file string, content any) string {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func whole() map[string]any {
	return map[string]any{
		"admin_socket": "/run/dense.sock", "instances_dir": "/instances", "etcd": map[string]any{"servers": []string{"https://e"}},
	}
}

func instance(name string, port int) map[string]any {
	return map[string]any{
		"name": name, "bind_address": "127.0.0.1", "secure_port": port, "etcd_prefix": "/" + name,
		"service_cluster_ip_range": "10.0.0.0/24", "tls_cert_file": "c", "tls_key_file": "k", "client_ca_file": "a",
		"service_account_key_file": "s", "service_account_issuer": "i", "kcm_kubeconfig": "q",
		"controllers": []string{"deployment-controller"},
	}
}

func TestTheFileOfTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	config, err := Load(write(t, file, whole()))
	if err != nil || config.Parallelism != runtime.NumCPU() || config.AdminSocket != "/run/dense.sock" {
		t.Fatal(config, err)
	}
	for field, wrong := range map[string]any{
		"admin_socket": "", "instances_dir": "", "etcd": map[string]any{}, "cores": -1, "parallelism": -1, "unheard_of": 1,
	} {
		content := whole()
		content[field] = wrong
		if _, err := Load(write(t, file, content)); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s=%v: %v", field, wrong, err)
		}
	}
	if err := os.WriteFile(file, []byte("{} {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "more than one JSON document") {
		t.Error(err)
	}
}

func TestInstancesAreReadByName(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "a.json"), instance("wec1", 1001))
	write(t, filepath.Join(folder, "b.json"), instance("wec2", 1002))
	write(t, filepath.Join(folder, "c.json.gone"), "no instance")
	found, err := LoadInstances(folder, known)
	if err != nil || len(found) != 2 || found["wec2"].SecurePort != 1002 {
		t.Fatal(found, err)
	}
	if _, err := LoadInstances(filepath.Join(folder, "absent"), known); err == nil {
		t.Fatal("a folder that is not there has no instances")
	}
}

func TestEachWrongFieldIsNamed(t *testing.T) {
	for field, wrong := range map[string]any{
		"name": "Wec", "bind_address": "localhost", "secure_port": 0, "etcd_prefix": "/a/", "tls_cert_file": "",
		"controllers": []string{"other"}, "kcm_kubeconfig": "", "apiserver_max_requests": -1,
		"apiserver_extra_args": []string{"--secure-port=1"}, "unheard_of": true,
	} {
		folder := t.TempDir()
		content := instance("wec1", 1001)
		content[field] = wrong
		file := write(t, filepath.Join(folder, "a.json"), content)
		_, err := LoadInstances(folder, known)
		if err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s=%v: %v", field, wrong, err)
		}
	}
}

func TestFlagsOfTheProcessAreRefused(t *testing.T) {
	for _, argument := range []string{"v=1", "--feature-gates=A=true", "--etcd-prefix=/x"} {
		if checkExtraArgument(argument) == nil {
			t.Errorf("%s was taken", argument)
		}
	}
	if err := checkExtraArgument("--audit-log-path=/x"); err != nil {
		t.Error(err)
	}
}

func TestInstancesThatCannotBeInOneProcess(t *testing.T) {
	for what, change := range map[string]func(map[string]any){
		"name":        func(i map[string]any) { i["name"] = "wec1" },
		"secure_port": func(i map[string]any) { i["secure_port"] = 1001 },
		"etcd_prefix": func(i map[string]any) { i["etcd_prefix"] = "/wec1/below" },
	} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, "a.json"), instance("wec1", 1001))
		second := instance("wec2", 1002)
		change(second)
		write(t, filepath.Join(folder, "b.json"), second)
		if _, err := LoadInstances(folder, known); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "a.json"), instance("wec1", 1001))
	other := instance("wec2", 1001)
	other["bind_address"] = "127.0.0.2"
	write(t, filepath.Join(folder, "b.json"), other)
	if _, err := LoadInstances(folder, known); err != nil {
		t.Error("one port on two addresses is fine: ", err)
	}
}
