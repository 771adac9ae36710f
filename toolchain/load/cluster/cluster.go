// Package cluster is the client of one control plane: plain HTTP/2 with TLS, timed, behind a token bucket if one is given.
package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Cluster says where a control plane is and how a client proves who it is. CA, Cert, Key and TokenFile are files.
type Cluster struct {
	Name      string `json:"name"`
	Server    string `json:"server"` // https://HOST:PORT, with the path of a virtual control plane where it has one
	CA        string `json:"ca"`
	Cert      string `json:"cert"`
	Key       string `json:"key"`
	TokenFile string `json:"token_file"`
}

// Validate names the field that is wrong.
func (c Cluster) Validate() error {
	parsed, err := url.Parse(c.Server)
	switch {
	case c.Name == "":
		return errors.New("name: missing")
	case err != nil:
		return fmt.Errorf("%s: server: %w", c.Name, err)
	case parsed.Scheme != "https" || parsed.Host == "":
		return fmt.Errorf("%s: server: %q is no https URL", c.Name, c.Server)
	case c.CA == "":
		return fmt.Errorf("%s: ca: missing", c.Name)
	case (c.Cert == "") != (c.Key == ""):
		return fmt.Errorf("%s: cert and key belong together", c.Name)
	case c.Cert == "" && c.TokenFile == "":
		return fmt.Errorf("%s: give cert and key, or token_file", c.Name)
	}
	return nil
}

// Limiter is client-go's: QPS tokens a second, Burst at most.
type Limiter struct {
	QPS   float64 `json:"qps"`
	Burst int     `json:"burst"`
}

// Validate names the field that is wrong.
func (l Limiter) Validate() error {
	if l.QPS <= 0 || l.Burst < 1 {
		return fmt.Errorf("limiter: qps %g and burst %d must be positive", l.QPS, l.Burst)
	}
	return nil
}

// ErrLimited says that the token bucket could not give a token before the context's deadline: nothing was sent.
var ErrLimited = errors.New("no token before the deadline")

// Client sends requests to one control plane over connections that it keeps. Use from many goroutines.
type Client struct {
	Name   string
	server string
	token  string
	http   *http.Client
	bucket *rate.Limiter
}

// New reads the credentials. A limiter of nil is none.
func New(c Cluster, limiter *Limiter) (*Client, error) {
	trust, err := c.Credentials()
	if err != nil {
		return nil, err
	}
	client := &Client{
		Name: c.Name, server: trust.Server, token: trust.Token,
		http: &http.Client{Transport: &http.Transport{TLSClientConfig: trust.TLS, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}},
	}
	if limiter != nil {
		client.bucket = rate.NewLimiter(rate.Limit(limiter.QPS), limiter.Burst)
	}
	return client, nil
}

// Credentials are what a connection needs: the server's URL without a slash behind it, TLS, a token or "".
type Credentials struct {
	Server string
	TLS    *tls.Config
	Token  string
}

// Credentials validates and reads the files.
func (c Cluster) Credentials() (Credentials, error) {
	if err := c.Validate(); err != nil {
		return Credentials{}, err
	}
	trusted, err := os.ReadFile(c.CA)
	if err != nil {
		return Credentials{}, fmt.Errorf("%s: ca: %w", c.Name, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(trusted) {
		return Credentials{}, fmt.Errorf("%s: ca: %s holds no certificate", c.Name, c.CA)
	}
	found := Credentials{
		Server: strings.TrimSuffix(c.Server, "/"),
		TLS:    &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return Credentials{}, fmt.Errorf("%s: cert: %w", c.Name, err)
		}
		found.TLS.Certificates = []tls.Certificate{pair}
	}
	if c.TokenFile != "" {
		token, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return Credentials{}, fmt.Errorf("%s: token_file: %w", c.Name, err)
		}
		found.Token = strings.TrimSpace(string(token))
	}
	return found, nil
}

// Close ends the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer is a whole answer. Server is the time from the request's last byte to the answer's first.
type Answer struct {
	Status int
	Body   []byte
	Server time.Duration
}

// Do sends one request and reads the whole answer. An error means that there is no answer: ErrLimited, the context's, or
// the connection's.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (Answer, error) {
	if c.bucket != nil {
		if err := c.bucket.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return Answer{}, ctx.Err()
			}
			return Answer{}, fmt.Errorf("%w: %w", ErrLimited, err)
		}
	}
	var wrote, first atomic.Int64 // nanoseconds since began; the transport calls from its own goroutines
	began := time.Now()
	trace := &httptrace.ClientTrace{
		WroteRequest:         func(httptrace.WroteRequestInfo) { wrote.Store(int64(time.Since(began))) },
		GotFirstResponseByte: func() { first.Store(int64(time.Since(began))) },
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, c.server+path, content)
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		kind := "application/json"
		if method == http.MethodPatch {
			kind = "application/merge-patch+json"
		}
		request.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, err
	}
	return Answer{response.StatusCode, read, max(0, time.Duration(first.Load()-wrote.Load()))}, nil
}
