// Package socket is the TCP port of a control plane, which may outlive the API servers behind it.
package socket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"fleet.example/toolchain/controlplane/dense/inprocess"
)

// mostWaiting is how many connections may wait for a control plane to wake; more are closed.
const mostWaiting = 256

// Port is the TCP port of an instance. It outlives the API servers behind it: between two of them, who connects waits.
type Port struct {
	net.Listener
	mu      sync.Mutex
	server  *Listener // takes what is accepted; nil while there is none
	waiting []net.Conn
	knocked chan struct{} // closed once somebody waits, or nobody is to wait any more
	known   bool          // it is closed
}

// Listener is what one API server accepts from. It remembers the connections, so that a stopped instance can drop all of
// them: http.Server.Shutdown leaves open what still has a watch running on it, for up to an hour.
type Listener struct {
	port     *Port
	Endpoint inprocess.Endpoint // to the server of this listener, for clients of this process
	fresh    chan net.Conn
	closed   chan struct{}
	once     sync.Once
	mu       sync.Mutex
	conns    map[*conn]struct{}
	quiet    time.Time // since when there are none
}

type conn struct {
	net.Conn
	owner *Listener
}

// Listen binds at once, so that a port in use fails the instance before anything of upstream is built. TCP keep-alive is
// Go's default (15 s).
func Listen(ctx context.Context, address string, number int) (*Port, error) {
	inner, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(number)))
	if err != nil {
		return nil, err
	}
	p := &Port{Listener: inner, knocked: make(chan struct{})}
	go p.run()
	return p, nil
}

// run hands on what comes until the port is closed.
func (p *Port) run() {
	for {
		accepted, err := p.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptors, above all: it may pass
			time.Sleep(50 * time.Millisecond)
			continue
		}
		p.hand(accepted)
	}
}

func (p *Port) hand(accepted net.Conn) {
	p.mu.Lock()
	server := p.server
	if server == nil {
		if len(p.waiting) < mostWaiting {
			p.waiting = append(p.waiting, accepted)
		} else {
			_ = accepted.Close()
		}
		p.knock()
	}
	p.mu.Unlock()
	if server != nil {
		server.take(accepted)
	}
}

// knock is called with the lock held.
func (p *Port) knock() {
	if !p.known {
		p.known = true
		close(p.knocked)
	}
}

// Serve makes a listener the one that connections go to, those that wait first.
func (p *Port) Serve() *Listener {
	l := &Listener{
		port: p, fresh: make(chan net.Conn), closed: make(chan struct{}), conns: map[*conn]struct{}{}, quiet: time.Now(),
	}
	p.mu.Lock()
	waiting := p.waiting
	p.server, p.waiting = l, nil
	p.knock()
	p.mu.Unlock()
	go func() {
		for _, accepted := range waiting {
			l.take(accepted)
		}
	}()
	return l
}

// Leave has connections wait from now on; the channel is closed when the first does.
func (p *Port) Leave() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server, p.known, p.knocked = nil, false, make(chan struct{})
	return p.knocked
}

// Close frees the port and drops who waits.
func (p *Port) Close() error {
	err := p.Listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, accepted := range p.waiting {
		_ = accepted.Close()
	}
	p.server, p.waiting = nil, nil
	p.knock()
	return err
}

// take gives a connection to the server, or closes it when there is none any more.
func (l *Listener) take(accepted net.Conn) {
	c := &conn{Conn: accepted, owner: l}
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	select {
	case l.fresh <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

// Inside is the way to the server of this listener that needs no connection. The patched loopback client of
// _patches/loopback.go takes it.
func (l *Listener) Inside() http.RoundTripper { return l.Endpoint.Client() }

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.fresh:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.port.Addr() }

// Close implements net.Listener. The port stays.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// DropAll closes every connection that is still open.
func (l *Listener) DropAll() {
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

// Idle is how long there has been no connection; 0 while there is one.
func (l *Listener) Idle() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) > 0 {
		return 0
	}
	return time.Since(l.quiet)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	if _, open := c.owner.conns[c]; open {
		delete(c.owner.conns, c)
		c.owner.quiet = time.Now()
	}
	c.owner.mu.Unlock()
	return c.Conn.Close()
}
