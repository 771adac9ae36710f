package backend

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming"
)

// Streaming answers exec, attach and port-forward for all nodes of the process, on loopback as container runtimes do; a
// kubelet is the only one that knows the tokens of its URLs.
type Streaming struct {
	streaming.Server
	listener net.Listener
}

// NewStreaming listens; Serve answers.
func NewStreaming() (*Streaming, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config := streaming.DefaultConfig
	config.Addr = listener.Addr().String()
	server, err := streaming.NewServer(config, echo{})
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	return &Streaming{server, listener}, nil
}

// Serve until the listener is closed.
func (s *Streaming) Serve() error {
	server := &http.Server{Handler: s.Server, ReadHeaderTimeout: time.Minute}
	return server.Serve(s.listener)
}

// Close the listener.
func (s *Streaming) Close() error { return s.listener.Close() }

// said is what a command answers.
func said(container string, command []string) string {
	return fmt.Sprintf("hollow container %s heard: %s\n", container, strings.Join(command, " "))
}

// echo says what it heard, and then what it reads.
type echo struct{}

func (echo) Exec(_ context.Context, container string, command []string, in io.Reader, out, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	if out == nil {
		return nil
	}
	if _, err := io.WriteString(out, said(container, command)); err != nil {
		return err
	}
	return repeat(in, out)
}

func (echo) Attach(_ context.Context, _ string, in io.Reader, out, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	return repeat(in, out)
}

func (echo) PortForward(_ context.Context, _ string, _ int32, stream io.ReadWriteCloser) error {
	return repeat(stream, stream)
}

func repeat(in io.Reader, out io.Writer) error {
	if in == nil || out == nil {
		return nil
	}
	_, err := io.Copy(out, in)
	return err
}
