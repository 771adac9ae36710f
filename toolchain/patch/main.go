// Command patch puts functions of ours in the place of upstream's, in a copy of an upstream module.
//
// It reads one JSON document from its standard input: the folder of the copy, and which function of which file gives way
// to which file of ours. It renames upstream's function and puts our file, which declares one of the old name and may call
// upstream's by the new one, next to it. Nothing else of upstream's text changes. It ends with 1, and changes nothing, when
// upstream is not what the patch was written for.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Order is what is read from the standard input.
type Order struct {
	// Module names the module in errors, as "k8s.io/apiserver@v0.34.4".
	Module string `json:"module"`
	// Folder is the root of the copy.
	Folder string `json:"folder"`
	// Patches are made all or none.
	Patches []Patch `json:"patches"`
}

func main() {
	var order Order
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&order)
	if err == nil {
		err = apply(order)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
