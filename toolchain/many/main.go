package many

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

const (
	// pagesSuffix makes the socket of the pages of that of the members.
	pagesSuffix = ".pages"
	// calm after a start, what was garbage by then goes back to the kernel.
	calm = 20 * time.Second
)

// Main is the main function of a host: `NAME --members=SOCKET`, with its pages at SOCKET.pages. SIGTERM and SIGINT end all
// instances, and then it. The exit code is 2 for a wrong command line.
func Main(name string, start Start, metrics http.Handler) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	members := flags.String("members", "", "unix socket that members dial; pages are served at the same with "+pagesSuffix)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return 2
	}
	if *members == "" || flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "usage: %s --members=SOCKET\n", name)
		return 2
	}
	syscall.Umask(0o077)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, *members, start, metrics); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, socket string, start Start, metrics http.Handler) error {
	host := NewHost(func(ctx context.Context, name string, args []string) error {
		timer := time.AfterFunc(calm, debug.FreeOSMemory)
		defer timer.Stop()
		return start(ctx, name, args)
	})
	pages, err := Listen(socket + pagesSuffix)
	if err != nil {
		return err
	}
	listener, err := Listen(socket)
	if err != nil {
		return errors.Join(err, pages.Close())
	}
	server := &http.Server{Handler: Pages(host, metrics), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(pages) }()
	return errors.Join(host.Serve(ctx, listener), server.Close())
}
