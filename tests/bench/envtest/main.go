// Command envtest starts control planes as users of envtest do, an etcd and an API server each, all at once.
//
//	KUBEBUILDER_ASSETS=DIR envtest N
//
// It prints `ready` when all are, and ends them at the end of its standard input.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = run(count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(count int) (err error) {
	environments := make([]envtest.Environment, count)
	failures := make([]error, count)
	var all sync.WaitGroup
	for i := range environments {
		all.Go(func() { _, failures[i] = environments[i].Start() })
	}
	all.Wait()
	defer func() {
		for i := range environments {
			err = errors.Join(err, environments[i].Stop())
		}
	}()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
