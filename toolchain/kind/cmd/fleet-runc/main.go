// Command fleet-runc is runc for machines that lack CAP_SYS_RESOURCE: it takes that capability out of what is requested,
// then becomes runc. A privileged container requests all capabilities, and runc refuses to give one that the machine has not.
//
// It only ever requests less. RUNC names the real one; without it, `runc` of PATH.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// unwanted is the capability that the machine lacks.
const unwanted = "CAP_SYS_RESOURCE"

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "fleet-runc: %v\n", err)
		os.Exit(1)
	}
}

// run edits the file that lists the capabilities, if this call has one, and becomes runc.
func run(args []string) error {
	if file, keys := document(args[1:]); file != "" {
		if err := edit(file, keys); err != nil {
			return err
		}
	}
	program := os.Getenv("RUNC")
	if program == "" {
		program = "runc"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	return syscall.Exec(path, append([]string{"runc"}, args[1:]...), os.Environ())
}

// document finds the JSON file of a call, and where in it the process is; "" when the call starts none.
func document(args []string) (file string, keys []string) {
	switch {
	case slices.Contains(args, "create"), slices.Contains(args, "run"):
		bundle := option(args, "--bundle", "-b")
		if bundle == "" {
			bundle = "."
		}
		return filepath.Join(bundle, "config.json"), []string{"process"}
	case slices.Contains(args, "exec"):
		return option(args, "--process", "-p"), nil
	}
	return "", nil
}

// option is the value of a flag, given as `--name value` or `--name=value`.
func option(args []string, names ...string) string {
	for index, argument := range args {
		name, value, joined := strings.Cut(argument, "=")
		if !slices.Contains(names, name) {
			continue
		}
		if joined {
			return value
		}
		if index+1 < len(args) {
			return args[index+1]
		}
	}
	return ""
}

// edit takes the capability out of every list of the process; a file without lists stays as it is.
func edit(file string, keys []string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	process := document
	for _, key := range keys {
		inner, ok := process[key].(map[string]any)
		if !ok {
			return errors.New(file + ": no " + key)
		}
		process = inner
	}
	capabilities, ok := process["capabilities"].(map[string]any)
	if !ok {
		return nil
	}
	for name, value := range capabilities {
		if list, ok := value.([]any); ok {
			capabilities[name] = slices.DeleteFunc(list, func(one any) bool { return one == unwanted })
		}
	}
	if data, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
