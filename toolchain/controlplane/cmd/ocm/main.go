// Command ocm holds the Open Cluster Management programs that a fleet runs: registration, work and the singleton agent
// (registration-operator agent), and ocm-host, which is many singleton agents in one process. The program is chosen by the name it is called by, or by its first argument.
//
// It is a file of its own because every WEC has an agent: linked into cmd/kube, each would hold the heap that
// kubernetes' packages fill when they are initialised. The commands are put together here from OCM's option and runner
// packages, not from its pkg/cmd, which would pull in the operators and helm.
package main

import (
	goflag "flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	utilflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	"k8s.io/component-base/metrics/legacyregistry"
	"open-cluster-management.io/ocm/pkg/version"

	"fleet.example/toolchain/controlplane/dense/quiet"
	"fleet.example/toolchain/many"
)

// programs are the commands of each program, by the names upstream gives them.
var programs = map[string][]func() *cobra.Command{
	"registration":          {newRegistrationController, newRegistrationAgent},
	"work":                  {newWorkAgent},
	"registration-operator": {newSingletonAgent},
}

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name == quiet.Agents {
		os.Exit(many.Main(name, runAgent, legacyregistry.Handler()))
	}
	if programs[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if programs[name] == nil {
		fmt.Fprintln(os.Stderr, "usage: ocm PROGRAM COMMAND [FLAG...]   PROGRAM is one of registration, registration-operator, work")
		os.Exit(2)
	}
	os.Exit(run(name, programs[name], args))
}

func run(name string, makers []func() *cobra.Command, args []string) int {
	pflag.CommandLine.SetNormalizeFunc(utilflag.WordSepNormalizeFunc)
	pflag.CommandLine.AddGoFlagSet(goflag.CommandLine)
	logs.AddFlags(pflag.CommandLine)
	logs.InitLogs()
	defer logs.FlushLogs()

	root := &cobra.Command{Use: name, Short: "Open Cluster Management: " + name, Version: version.Get().String()}
	for _, command := range makers {
		root.AddCommand(command())
	}
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		return 1
	}
	return 0
}
