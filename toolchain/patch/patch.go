package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Patch is one function of upstream's that gives way.
type Patch struct {
	// File is the file that declares it, below the root of the module.
	File string `json:"file"`
	// Function is its name, with its type for a method: "newThing", "Type.method".
	Function string `json:"function"`
	// SHA256 begins the digest of the declaration for which the patch was written (see digest); at least shortest letters.
	SHA256 string `json:"sha256"`
	// Ours is the path of our file.
	Ours string `json:"ours"`
}

const (
	// prefix begins the new name of upstream's function.
	prefix = "upstream"
	// shortest is how much of a digest must be given: what a person compares.
	shortest = 12
	// own begins the name of our files in the copy.
	own = "zz_fleet_"
)

// apply makes all patches of an order, or none: every change is known before the first file is written.
func apply(order Order) error {
	content := map[string][]byte{}
	var wrong []error
	for _, patch := range order.Patches {
		if err := prepare(order.Folder, patch, content); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s: %s: %w", order.Module, patch.File, patch.Function, err))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	for path, text := range content {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// prepare adds to content what a patch writes: upstream's file with the function renamed, and ours next to it.
func prepare(folder string, patch Patch, content map[string][]byte) error {
	path := filepath.Join(folder, patch.File)
	text, known := content[path]
	if !known {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return errors.New("upstream has no such file any more")
		}
	}
	upstream, err := find(path, text, patch.Function)
	if err != nil {
		return err
	}
	if sum := upstream.digest(); len(patch.SHA256) < shortest || !strings.HasPrefix(sum, patch.SHA256) {
		return fmt.Errorf("upstream's function is not the one that the patch was written for: its sha256 is %s, versions.yaml says %q; "+
			"read what its result depends on now, change our file if need be, then write the new one", sum[:shortest], patch.SHA256)
	}
	replacement, err := os.ReadFile(patch.Ours)
	if err != nil {
		return err
	}
	ours, err := find(patch.Ours, replacement, patch.Function)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(patch.Ours), err)
	}
	if ours.file.Name.Name != upstream.file.Name.Name {
		return fmt.Errorf("%s: it is of package %s, upstream's is of %s", filepath.Base(patch.Ours), ours.file.Name.Name, upstream.file.Name.Name)
	}
	if theirs, mine := upstream.shape(), ours.shape(); theirs != mine {
		return fmt.Errorf("upstream's takes and gives %s, ours %s", theirs, mine)
	}
	at := upstream.files.Position(upstream.declaration.Name.Pos()).Offset
	name := upstream.declaration.Name.Name
	content[path] = slices.Concat(text[:at], []byte(renamed(name)), text[at+len(name):])
	content[filepath.Join(filepath.Dir(path), own+filepath.Base(patch.Ours))] = replacement
	return nil
}

// renamed is the new name of upstream's function: "getThing" gives "upstreamGetThing".
func renamed(name string) string {
	letters := []rune(name)
	letters[0] = unicode.ToUpper(letters[0])
	return prefix + string(letters)
}

// function is a declaration within its file.
type function struct {
	files       *token.FileSet
	file        *ast.File
	declaration *ast.FuncDecl
}

// find gives the one declaration of a function in a file.
func find(path string, text []byte, name string) (function, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return function{}, err
	}
	var found []*ast.FuncDecl
	for _, declaration := range file.Decls {
		if f, is := declaration.(*ast.FuncDecl); is && fullName(f) == name {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return function{}, fmt.Errorf("it is declared %d times, not once", len(found))
	}
	return function{files, file, found[0]}, nil
}

// fullName is "name", or "Type.name" for a method, whether its receiver is a pointer or has type parameters or not.
func fullName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	for {
		switch inner := receiver.(type) {
		case *ast.StarExpr:
			receiver = inner.X
		case *ast.IndexExpr:
			receiver = inner.X
		case *ast.IndexListExpr:
			receiver = inner.X
		case *ast.Ident:
			return inner.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// digest is the sha256 of the declaration as gofmt prints it, without comments.
func (f function) digest() string {
	bare := *f.declaration
	bare.Doc = nil
	sum := sha256.Sum256([]byte(f.print(&bare)))
	return hex.EncodeToString(sum[:])
}

// shape is receiver, type parameters, parameters and results, without the names of parameters.
func (f function) shape() string {
	lists := []*ast.FieldList{f.declaration.Recv, f.declaration.Type.TypeParams, f.declaration.Type.Params, f.declaration.Type.Results}
	var parts []string
	for _, list := range lists {
		var types []string
		if list != nil {
			for _, field := range list.List {
				for range max(1, len(field.Names)) {
					types = append(types, f.print(field.Type))
				}
			}
		}
		parts = append(parts, "("+strings.Join(types, ", ")+")")
	}
	return strings.Join(parts, "")
}

func (f function) print(node any) string {
	var text bytes.Buffer
	if err := printer.Fprint(&text, f.files, node); err != nil {
		panic(err) // a buffer takes everything, and the node was parsed
	}
	return text.String()
}
