package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fleet.example/toolchain/many"
)

// host serves instances that run until they are instructed to end, but for those that are to fail.
func host(t *testing.T) (string, context.CancelFunc) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := many.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_ = many.NewHost(func(ctx context.Context, name string, args []string) error {
			if len(args) > 0 {
				return errors.New(name + " does not know " + args[0])
			}
			<-ctx.Done()
			return nil
		}).Serve(ctx, listener)
	}()
	t.Cleanup(cancel)
	return socket, cancel
}

func TestItEndsWhenToldAndSaysNothing(t *testing.T) {
	socket, _ := host(t)
	signals := make(chan os.Signal, 1)
	time.AfterFunc(50*time.Millisecond, func() { signals <- syscall.SIGTERM })
	if code, words := stand(socket, "a", nil, signals); code != 0 || words != "" {
		t.Errorf("%d %q", code, words)
	}
}

func TestItEndsWithTheReasonOfItsInstance(t *testing.T) {
	socket, _ := host(t)
	if code, words := stand(socket, "a", []string{"--what"}, nil); code != 1 || words != "a does not know --what" {
		t.Errorf("%d %q", code, words)
	}
}

func TestItEndsWithItsHost(t *testing.T) {
	socket, end := host(t)
	time.AfterFunc(50*time.Millisecond, end)
	if code, words := stand(socket, "a", nil, nil); code != 1 || !strings.Contains(words, "host") {
		t.Errorf("%d %q", code, words)
	}
}

func TestItWaitsForAHostAndCanBeTold(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	if code, words := stand(filepath.Join(t.TempDir(), "none"), "a", nil, signals); code != 0 || words != "" {
		t.Errorf("%d %q", code, words)
	}
}
