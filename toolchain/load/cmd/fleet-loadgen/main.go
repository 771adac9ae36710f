// Command fleet-loadgen takes control planes into use, loads them and watches them: `fleet-loadgen COMMAND`, the order as one line of
// JSON on stdin, JSON lines on stdout. It ends when its stdin does. Exit code 2: the order is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"fleet.example/toolchain/load/bootstrap"
	"fleet.example/toolchain/load/creating"
	"fleet.example/toolchain/load/lines"
	"fleet.example/toolchain/load/streaming"
	"fleet.example/toolchain/load/traffic"
	"fleet.example/toolchain/load/watching"
)

// commands by name. A new one is an order with Validate, a Run, and its line here.
var commands = map[string]func(context.Context, io.Reader, *lines.Writer) error{
	"bootstrap": command(bootstrap.Run),
	"create":    command(creating.Run),
	"load":      command(traffic.Run),
	"stream":    command(streaming.Run),
	"watch":     command(watching.Run),
}

// order is what a command reads.
type order interface{ Validate() error }

func command[O order](run func(context.Context, O, *lines.Writer) error) func(context.Context, io.Reader, *lines.Writer) error {
	return func(ctx context.Context, in io.Reader, out *lines.Writer) error {
		var given O
		ctx, err := lines.Read(ctx, in, &given)
		if err != nil {
			return err
		}
		if err := given.Validate(); err != nil {
			return fmt.Errorf("%w: %w", lines.ErrOrder, err)
		}
		return run(ctx, given, out)
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, arguments []string, in io.Reader, out, complaints io.Writer) int {
	names := slices.Sorted(maps.Keys(commands))
	if len(arguments) != 1 || commands[arguments[0]] == nil {
		fmt.Fprintf(complaints, "usage: fleet-loadgen %s < ORDER\n", strings.Join(names, "|"))
		return 2
	}
	err := commands[arguments[0]](ctx, in, lines.NewWriter(out))
	switch {
	case err == nil:
		return 0
	case errors.Is(err, lines.ErrOrder):
		fmt.Fprintf(complaints, "fleet-loadgen %s: %v\n", arguments[0], err)
		return 2
	default:
		fmt.Fprintf(complaints, "fleet-loadgen %s: %v\n", arguments[0], err)
		return 1
	}
}
