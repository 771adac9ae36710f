package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const upstreamText = `package thing

import "fmt"

// newThing says what it makes. newThing is also named in this comment.
func newThing(a, b string) (*Thing, error) {
	if a == "" { // not newThing
		return newThing(b, b)
	}
	return &Thing{fmt.Sprint(a, b)}, nil
}

type Thing struct{ name string }

func (t *Thing) call(path string) { t.name = path }

type Box[T any] struct{ in T }

func (b *Box[T]) call(path string) {}
`

const oursText = `package thing

func newThing(x string, y string) (*Thing, error) { return upstreamNewThing(x, y) }
`

// module is a copy of a module with one file, and a file of ours.
func module(t *testing.T, upstream, ours string) (string, string) {
	t.Helper()
	folder, own := t.TempDir(), filepath.Join(t.TempDir(), "memo.go")
	if err := os.MkdirAll(filepath.Join(folder, "pkg"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "pkg", "thing.go"), upstream)
	write(t, own, ours)
	return folder, own
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sum(t *testing.T, text, name string) string {
	t.Helper()
	f, err := find("x.go", []byte(text), name)
	if err != nil {
		t.Fatal(err)
	}
	return f.digest()[:shortest]
}

func order(folder, own, function, digest string) Order {
	return Order{"example.com/thing@v1", folder, []Patch{{"pkg/thing.go", function, digest, own}}}
}

func TestOnlyTheNameOfTheDeclarationChanges(t *testing.T) {
	folder, own := module(t, upstreamText, oursText)
	if err := apply(order(folder, own, "newThing", sum(t, upstreamText, "newThing"))); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(upstreamText, "func newThing(", "func upstreamNewThing(", 1)
	if got := read(t, filepath.Join(folder, "pkg", "thing.go")); got != want {
		t.Errorf("upstream's file is\n%s", got)
	}
	if got := read(t, filepath.Join(folder, "pkg", copied(own))); got != oursText {
		t.Errorf("our file is\n%s", got)
	}
}

func copied(path string) string { return own + filepath.Base(path) }

func TestAMethodIsNamedWithItsType(t *testing.T) {
	for function, receiver := range map[string]string{"Thing.call": "t *Thing", "Box.call": "b *Box[T]"} {
		folder, own := module(t, upstreamText, "package thing\n\nfunc ("+receiver+") call(p string) {}\n")
		if err := apply(order(folder, own, function, sum(t, upstreamText, function))); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(folder, "pkg", "thing.go")); !strings.Contains(got, "func ("+receiver+") upstreamCall(path string)") {
			t.Errorf("%s: upstream's file is\n%s", function, got)
		}
	}
}

func TestTwoFunctionsOfOneFile(t *testing.T) {
	folder, first := module(t, upstreamText, oursText)
	second := filepath.Join(t.TempDir(), "call.go")
	write(t, second, "package thing\n\nfunc (t *Thing) call(path string) { t.upstreamCall(path) }\n")
	both := order(folder, first, "newThing", sum(t, upstreamText, "newThing"))
	both.Patches = append(both.Patches, Patch{"pkg/thing.go", "Thing.call", sum(t, upstreamText, "Thing.call"), second})
	if err := apply(both); err != nil {
		t.Fatal(err)
	}
	got := read(t, filepath.Join(folder, "pkg", "thing.go"))
	if !strings.Contains(got, "func upstreamNewThing(") || !strings.Contains(got, ") upstreamCall(") {
		t.Errorf("upstream's file is\n%s", got)
	}
}

func TestUpstreamThatChangedIsRefusedByName(t *testing.T) {
	right := sum(t, upstreamText, "newThing")
	cases := map[string]struct{ upstream, ours, digest, word string }{
		"function gone":     {strings.ReplaceAll(upstreamText, "newThing(", "makeThing("), oursText, right, "declared 0 times"},
		"declared twice":    {upstreamText + "\nfunc newThing() {}\n", oursText, right, "declared 2 times"},
		"another body":      {strings.Replace(upstreamText, `a == ""`, `b == ""`, 1), oursText, right, "sha256 is"},
		"no digest":         {upstreamText, oursText, "", "sha256 is"},
		"another shape":     {upstreamText, strings.Replace(oursText, "y string", "y int", 1), right, "takes and gives"},
		"another package":   {upstreamText, strings.Replace(oursText, "package thing", "package other", 1), right, "of package other"},
		"ours has it not":   {upstreamText, "package thing\n", right, "memo.go: it is declared 0 times"},
		"it does not parse": {"package", oursText, right, "expected"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			folder, own := module(t, c.upstream, c.ours)
			err := apply(order(folder, own, "newThing", c.digest))
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range []string{"example.com/thing@v1", "pkg/thing.go", "newThing", c.word} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if got := read(t, filepath.Join(folder, "pkg", "thing.go")); got != c.upstream {
				t.Errorf("upstream's file was changed to\n%s", got)
			}
		})
	}
}

func TestCommentsDoNotCount(t *testing.T) {
	if sum(t, upstreamText, "newThing") != sum(t, strings.Replace(upstreamText, " // not newThing", "", 1), "newThing") {
		t.Error("a comment changed the digest")
	}
}

func TestAFileThatIsGoneIsNamed(t *testing.T) {
	folder, own := module(t, upstreamText, oursText)
	gone := order(folder, own, "newThing", sum(t, upstreamText, "newThing"))
	gone.Patches[0].File = "pkg/moved.go"
	if err := apply(gone); err == nil || !strings.Contains(err.Error(), "pkg/moved.go: newThing: upstream has no such file") {
		t.Errorf("error is %v", err)
	}
}
