// Package inprocess carries HTTP requests to a handler of the same process, without sockets, TLS and HTTP/2.
//
// A control plane's controllers and scheduler are in the process of its API server. Over the network each of their some
// hundred watches has a stream, buffers and a goroutine at both ends. Here the handler writes into a pipe that the client
// reads. Everything that the API server does with a request stays: authentication (by the client's certificate, as if it
// had come with a connection), authorization, fairness, admission, audit.
package inprocess

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// ErrNoServer is what a request gets before there is a handler, and after the last.
var ErrNoServer = errors.New("no server in this process: it has not started, or it was stopped")

// remote is what the handler sees as the address of its client.
const remote = "127.0.0.1:0"

// Endpoint leads to the handler of one server. The zero Endpoint is closed.
type Endpoint struct {
	handler atomic.Pointer[http.Handler]
}

// Open has requests come to a handler from now on.
func (d *Endpoint) Open(handler http.Handler) { d.handler.Store(&handler) }

// Close refuses requests from now on; those under way go on.
func (d *Endpoint) Close() { d.handler.Store(nil) }

// Client is a transport for requests of one client, which has these certificates, or none.
func (d *Endpoint) Client(certificates ...*x509.Certificate) http.RoundTripper {
	state := &tls.ConnectionState{
		Version: tls.VersionTLS13, HandshakeComplete: true, NegotiatedProtocol: "h2", PeerCertificates: certificates,
	}
	return &client{endpoint: d, state: state}
}

type client struct {
	endpoint *Endpoint
	state    *tls.ConnectionState
}

// RoundTrip implements http.RoundTripper. It returns once the handler has written its header, or has ended.
func (c *client) RoundTrip(request *http.Request) (*http.Response, error) {
	handler := c.endpoint.handler.Load()
	if handler == nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, ErrNoServer
	}
	// The contexts of client-go's informers are not Go's own, and Go starts a goroutine for each context that is made of
	// such a one. The handlers make half a dozen. So theirs are made of one of Go's, which ends with the client's.
	ctx, cancel := context.WithCancel(context.WithoutCancel(request.Context()))
	served := request.Clone(ctx)
	served.RequestURI = request.URL.RequestURI()
	served.Proto, served.ProtoMajor, served.ProtoMinor = "HTTP/2.0", 2, 0
	served.RemoteAddr, served.TLS = remote, c.state
	served.URL.Scheme, served.URL.Host = "", ""
	if served.Host == "" {
		served.Host = request.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	exchange := &exchange{header: http.Header{}, pipe: writer, begun: make(chan struct{})}
	stop := exchange.endWith(request.Context(), cancel)
	go exchange.serve(*handler, served, cancel)
	select {
	case <-exchange.begun:
	case <-request.Context().Done():
		_ = reader.Close()
		return nil, request.Context().Err()
	}
	if exchange.failed != nil {
		stop()
		if err := request.Context().Err(); err != nil {
			return nil, err
		}
		return nil, exchange.failed
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", exchange.code, http.StatusText(exchange.code)), StatusCode: exchange.code,
		Proto: served.Proto, ProtoMajor: 2, Header: exchange.sent, ContentLength: -1, Request: request,
		Body: &body{reader, cancel, stop},
	}, nil
}

// body ends the request when its reader is done with it.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
	stop   func() bool
}

// Close implements io.Closer. The handler learns of it by its context, and by its next write.
func (b *body) Close() error {
	b.stop()
	b.cancel()
	return b.PipeReader.Close()
}

// exchange is the http.ResponseWriter of one request.
type exchange struct {
	header http.Header
	pipe   *io.PipeWriter
	once   sync.Once
	begun  chan struct{} // closed when the three below are valid
	sent   http.Header
	code   int
	failed error
}

// endWith ends request and response when the client gives up: what was cut off must not look finished. The function it
// returns undoes that.
func (e *exchange) endWith(client context.Context, cancel context.CancelFunc) func() bool {
	return context.AfterFunc(client, func() {
		_ = e.pipe.CloseWithError(client.Err())
		cancel()
	})
}

// serve runs the handler to its end. The response ends with it.
func (e *exchange) serve(handler http.Handler, request *http.Request, cancel context.CancelFunc) {
	defer cancel()
	defer func() {
		_ = request.Body.Close()
		err := request.Context().Err() // the client has gone
		if failure := recover(); failure != nil {
			// http.ErrAbortHandler above all, by which upstream ends a response that it cannot finish.
			err = fmt.Errorf("the server ended the request: %v: %w", failure, io.ErrUnexpectedEOF)
		}
		if err != nil {
			e.once.Do(func() {
				e.failed = err
				close(e.begun)
			})
			_ = e.pipe.CloseWithError(err)
			return
		}
		e.WriteHeader(http.StatusOK)
		_ = e.pipe.Close()
	}()
	handler.ServeHTTP(e, request)
}

// Header implements http.ResponseWriter.
func (e *exchange) Header() http.Header { return e.header }

// WriteHeader implements http.ResponseWriter; the first one counts.
func (e *exchange) WriteHeader(code int) {
	if code < http.StatusOK { // an interim answer
		return
	}
	e.once.Do(func() {
		e.sent, e.code = e.header.Clone(), code
		close(e.begun)
	})
}

// Write implements http.ResponseWriter. It returns when the client has read it.
func (e *exchange) Write(content []byte) (int, error) {
	e.WriteHeader(http.StatusOK)
	return e.pipe.Write(content)
}

// Flush implements http.Flusher; nothing is held back.
func (e *exchange) Flush() { e.WriteHeader(http.StatusOK) }

// CloseNotify implements http.CloseNotifier, which upstream's wrappers of writers look for. Handlers go by the context.
func (e *exchange) CloseNotify() <-chan bool { return make(chan bool) }
