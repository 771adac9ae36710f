// Package partition cuts a node off from its API server, in both directions, and heals it.
//
// A kubelet cannot be stopped inside a process that holds others; what a cluster sees of a partition is the same.
package partition

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
)

// ErrCut is what a node's clients and callers get while it is cut off.
var ErrCut = errors.New("the node is partitioned")

// Line is all connections of one node.
type Line struct {
	mutex sync.Mutex
	cut   bool
	out   map[*connection]struct{}
	in    map[net.Conn]struct{}
}

// New is a line that is not cut.
func New() *Line {
	return &Line{out: map[*connection]struct{}{}, in: map[net.Conn]struct{}{}}
}

// Dial opens a connection of the node; rest.Config has a place for it.
func (l *Line) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l.IsCut() {
		return nil, ErrCut
	}
	var dialer net.Dialer
	inner, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	made := &connection{Conn: inner, line: l}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cut { // meanwhile
		_ = inner.Close()
		return nil, ErrCut
	}
	l.out[made] = struct{}{}
	return made, nil
}

// Accept is asked at each handshake with the node's server; tls.Config.GetConfigForClient has the place for it.
func (l *Line) Accept(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cut {
		return nil, ErrCut
	}
	for other := range l.in { // nobody says when one of these ends
		if closed(other) {
			delete(l.in, other)
		}
	}
	l.in[hello.Conn] = struct{}{}
	return nil, nil
}

// Cut ends all connections and refuses new ones until Heal.
func (l *Line) Cut() {
	l.mutex.Lock()
	l.cut = true
	var ending []net.Conn
	for made := range l.out {
		ending = append(ending, made.Conn)
	}
	for made := range l.in {
		ending = append(ending, made)
	}
	clear(l.out)
	clear(l.in)
	l.mutex.Unlock()
	for _, made := range ending {
		_ = made.Close()
	}
}

// Heal lets connections be made again.
func (l *Line) Heal() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.cut = false
}

// IsCut says whether the node is cut off.
func (l *Line) IsCut() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.cut
}

// connection forgets itself when it is closed.
type connection struct {
	net.Conn
	line *Line
}

func (c *connection) Close() error {
	c.line.mutex.Lock()
	delete(c.line.out, c)
	c.line.mutex.Unlock()
	return c.Conn.Close()
}

// closed says whether this side has closed a connection: its socket is then no longer to be had.
func closed(made net.Conn) bool {
	socket, ok := made.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
