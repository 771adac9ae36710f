package settings

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func valid() Settings {
	return Settings{
		Server: "https://127.0.0.1:6443", CA: "/pki/ca.crt", CAKey: "/pki/ca.key", Address: "192.0.2.7", Port: 20000,
		Prefix: "hollow-", First: 251, Count: 2, Root: "/s/hollow", AdminSocket: "/s/run/hollow.sock",
		CPU: 32, Memory: 1 << 30, Pods: 110, Events: true,
	}
}

func write(t *testing.T, settings any) string {
	t.Helper()
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hollow.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNodesAreNumberedFromTheFirst(t *testing.T) {
	found, err := Read(write(t, valid()), Place{})
	if err != nil {
		t.Fatal(err)
	}
	nodes := found.Nodes()
	want := []Node{
		{251, "hollow-251", 20000, "/s/hollow/251"},
		{252, "hollow-252", 20001, "/s/hollow/252"},
	}
	if len(nodes) != len(want) || nodes[0] != want[0] || nodes[1] != want[1] {
		t.Errorf("got %v, want %v", nodes, want)
	}
}

func TestWrongFieldsAreNamed(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"server":       func(s *Settings) { s.Server = "http://127.0.0.1" },
		"ca, ca_key":   func(s *Settings) { s.CAKey = "" },
		"address":      func(s *Settings) { s.Address = "127.0.0.1" },
		"count":        func(s *Settings) { s.Count = MostNodes + 1 },
		"first":        func(s *Settings) { s.First = 0 },
		"port":         func(s *Settings) { s.Port = 65535 },
		"prefix":       func(s *Settings) { s.Prefix = "Hollow" },
		"root":         func(s *Settings) { s.Root = "/" + strings.Repeat("long", 30) },
		"admin_socket": func(s *Settings) { s.AdminSocket = "hollow.sock" },
		"cpu":          func(s *Settings) { s.CPU = 0 },
		"memory":       func(s *Settings) { s.Memory = 7 },
		"pods":         func(s *Settings) { s.Pods = 0 },
	} {
		settings := valid()
		change(&settings)
		if _, err := Read(write(t, settings), Place{}); err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestEveryWrongFieldIsSaidAtOnce(t *testing.T) {
	settings := valid()
	settings.CPU, settings.Pods = 0, -1
	_, err := Read(write(t, settings), Place{})
	if err == nil || !strings.Contains(err.Error(), "cpu: ") || !strings.Contains(err.Error(), "pods: ") {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownFieldIsRefused(t *testing.T) {
	if _, err := Read(write(t, map[string]any{"nodes": 3}), Place{}); err == nil || !strings.Contains(err.Error(), "nodes") {
		t.Errorf("got %v", err)
	}
}

func TestAPlaceWinsOverTheFile(t *testing.T) {
	settings := valid()
	settings.Server, settings.Address, settings.CAKey, settings.Credentials = "", "", "", "/credentials"
	if _, err := Read(write(t, settings), Place{}); err == nil || !strings.Contains(err.Error(), "address: ") {
		t.Errorf("got %v", err)
	}
	found, err := Read(write(t, settings), Place{Server: "https://192.0.2.1:6443", Address: "192.0.2.8"})
	if err != nil {
		t.Fatal(err)
	}
	if found.Server != "https://192.0.2.1:6443" || found.Address != "192.0.2.8" {
		t.Errorf("got %v", found)
	}
}

func TestAKeyAndAFolderOfCredentialsAreTooMuch(t *testing.T) {
	settings := valid()
	settings.Credentials = "/credentials"
	if _, err := Read(write(t, settings), Place{}); err == nil || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("got %v", err)
	}
}
