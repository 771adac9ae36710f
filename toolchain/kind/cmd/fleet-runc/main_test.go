package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheFileOfACall(t *testing.T) {
	for _, one := range []struct {
		args []string
		file string
	}{
		{[]string{"--root", "/r", "create", "--bundle", "/b", "id"}, "/b/config.json"},
		{[]string{"run", "-b=/b", "id"}, "/b/config.json"},
		{[]string{"create", "id"}, "config.json"},
		{[]string{"exec", "--process", "/p.json", "id"}, "/p.json"},
		{[]string{"exec", "id", "ls"}, ""},
		{[]string{"state", "id"}, ""},
	} {
		if file, _ := document(one.args); file != one.file {
			t.Errorf("%v: %q, not %q", one.args, file, one.file)
		}
	}
}

func TestOnlyOneCapabilityGoes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	given := `{"process":{"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"]},"cwd":"/"}}`
	wanted := `{"process":{"capabilities":{"bounding":["CAP_CHOWN"],"effective":[]},"cwd":"/"}}`
	if err := os.WriteFile(file, []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := edit(file, []string{"process"}); err != nil {
		t.Fatal(err)
	}
	if found, _ := os.ReadFile(file); string(found) != wanted {
		t.Errorf("%s, not %s", found, wanted)
	}
	if err := edit(file, []string{"other"}); err == nil {
		t.Error("a file without a process must be refused")
	}
}
