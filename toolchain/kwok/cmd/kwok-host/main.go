// Command kwok-host is many kwoks in one process; package many says how they come and go. Each takes the arguments of kwok
// itself.
//
// What they share is the process's: its log (each line names its kwok), and Go's runtime. A kwok here does not listen:
// its --server-address is refused, because upstream ends the process when it cannot bind it.
package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"

	"fleet.example/toolchain/many"
)

func main() {
	os.Exit(many.Main("kwok-host", run, nil))
}

// arguments guards os.Args, from which kwok's configuration reads.
var arguments sync.Mutex

// run is what kwok's own main does, for one instance with arguments of its own.
func run(ctx context.Context, name string, args []string) error {
	for _, arg := range args {
		if value, is := strings.CutPrefix(arg, "--server-address="); is && value != "" {
			return errors.New("--server-address: a kwok with others in its process does not listen")
		}
	}
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, err := configure(ctx, name, flags, args)
	if err != nil {
		return err
	}
	command := cmd.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	command.SetArgs(args)
	return command.ExecuteContext(ctx)
}

// configure reads the flags and files that come before there is a command.
func configure(ctx context.Context, name string, flags *pflag.FlagSet, args []string) (context.Context, error) {
	arguments.Lock()
	defer arguments.Unlock()
	own := os.Args
	defer func() { os.Args = own }()
	os.Args = slices.Concat([]string{"kwok"}, args)
	ctx, logger := log.InitFlags(ctx, flags)
	return config.InitFlags(log.NewContext(ctx, logger.With("kwok", name)), flags)
}
