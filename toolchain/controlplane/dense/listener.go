package dense

import (
	"context"
	"net"
	"strconv"
	"sync"

	"fleet.example/toolchain/controlplane/dense/inprocess"
)

// listener remembers the connections it accepted, so that a stopped instance can drop all of them: http.Server.Shutdown
// leaves open what still has a watch running on it, for up to an hour.
type listener struct {
	net.Listener
	door  inprocess.Door // to the server of this listener, for clients of this process
	mu    sync.Mutex
	conns map[*conn]struct{}
}

type conn struct {
	net.Conn
	owner *listener
}

// listen binds at once, so that a port in use fails the instance before anything of upstream is built.
func listen(ctx context.Context, address string, port int) (*listener, error) {
	inner, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return &listener{Listener: inner, conns: map[*conn]struct{}{}}, nil
}

// Accept implements net.Listener. TCP keep-alive is Go's default (15 s).
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, owner: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c, nil
}

// dropAll closes every connection that is still open.
func (l *listener) dropAll() {
	l.mu.Lock()
	open := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // it may have been closed by its peer meanwhile
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.conns, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}
