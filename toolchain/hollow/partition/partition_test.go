package partition

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo listens on loopback, hands over what it accepts and answers what it reads.
func echo(t *testing.T) (string, <-chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			made, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- made
			go func() { _, _ = io.Copy(made, made) }()
		}
	}()
	return listener.Addr().String(), accepted
}

func dial(t *testing.T, line *Line, address string) net.Conn {
	t.Helper()
	made, err := line.Dial(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

func TestACutEndsConnectionsAndRefusesNewOnes(t *testing.T) {
	address, _ := echo(t)
	line := New()
	made := dial(t, line, address)
	line.Cut()
	if !line.IsCut() {
		t.Error("it is not cut")
	}
	if _, err := made.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read of a cut connection: %v", err)
	}
	if _, err := line.Dial(context.Background(), "tcp", address); !errors.Is(err, ErrCut) {
		t.Errorf("dial while cut: %v", err)
	}
	if _, err := line.Accept(&tls.ClientHelloInfo{}); !errors.Is(err, ErrCut) {
		t.Errorf("handshake while cut: %v", err)
	}
	line.Heal()
	healed := dial(t, line, address)
	if _, err := healed.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(healed, make([]byte, 1)); err != nil {
		t.Errorf("after it was healed: %v", err)
	}
}

func TestACutEndsWhatOthersOpened(t *testing.T) {
	address, accepted := echo(t)
	line := New()
	caller, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	if _, err := line.Accept(&tls.ClientHelloInfo{Conn: <-accepted}); err != nil {
		t.Fatal(err)
	}
	line.Cut()
	if err := caller.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := caller.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is still open: %v", err)
	}
}

func TestEndedConnectionsAreForgotten(t *testing.T) {
	address, accepted := echo(t)
	line := New()
	made := dial(t, line, address)
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	first := <-accepted
	if _, err := line.Accept(&tls.ClientHelloInfo{Conn: first}); err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	dial(t, line, address)
	if _, err := line.Accept(&tls.ClientHelloInfo{Conn: <-accepted}); err != nil {
		t.Fatal(err)
	}
	line.mutex.Lock()
	defer line.mutex.Unlock()
	if len(line.in) != 1 || len(line.out) != 1 {
		t.Errorf("%d accepted and %d dialled are remembered, 1 and 1 are open", len(line.in), len(line.out))
	}
}
