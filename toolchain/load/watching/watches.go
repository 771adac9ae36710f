package watching

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// Annotation holds the moment at which a change was sent, in nanoseconds since the client began.
const Annotation = "fleet-testbed/sent"

var mark = []byte(`"` + Annotation + `":"`)

const buffer = 4096 // bytes of a connection's and of a watch's reader: thousands of them must not be what fills the memory

// watches are all that are open, and what they have reported.
type watches struct {
	order       Order
	credentials cluster.Credentials
	since       func() time.Duration
	tally       *tally
	groups      []atomic.Int64 // open watches of each selector
	opened      atomic.Int64
	ended       atomic.Int64 // by the server, or with the connection
	refused     atomic.Int64 // never opened
	connections atomic.Int64
	started     int
	client      *http.Client
	reading     sync.WaitGroup

	mu   sync.Mutex
	said string // why the first one was refused or ended
}

func (w *watches) newClient() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(w.order.Protocol == HTTP1)
	protocols.SetHTTP2(w.order.Protocol == HTTP2)
	config := w.credentials.TLS.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	dialer := net.Dialer{Timeout: seconds(w.order.Timeout)}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: config, Protocols: protocols, ReadBufferSize: buffer, WriteBufferSize: buffer,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			w.connections.Add(1)
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

// open makes them so many, and returns when each is open or refused. They go on until the context ends.
func (w *watches) open(ctx context.Context, count int, version string) error {
	limit, cancel := context.WithTimeout(ctx, seconds(w.order.Timeout))
	defer cancel()
	slots := make(chan struct{}, w.order.Opening)
	var opening sync.WaitGroup
	for ; w.started < count; w.started++ {
		if w.started%w.order.PerConnection == 0 {
			w.client = w.newClient()
		}
		select {
		case slots <- struct{}{}:
		case <-limit.Done():
			return fmt.Errorf("%d of %d watches were open within %g s", w.opened.Load(), count, w.order.Timeout)
		}
		client, group := w.client, w.started%len(w.order.Selectors)
		first := make(chan struct{})
		opening.Add(1)
		w.reading.Go(func() {
			answered := sync.OnceFunc(func() { <-slots; opening.Done(); close(first) })
			defer answered()
			w.watch(ctx, client, group, version, answered)
		})
		if w.started%w.order.PerConnection == 0 && w.order.PerConnection > 1 {
			// The others share its connection; all at once would dial one each.
			select {
			case <-first:
			case <-limit.Done():
			}
		}
	}
	done := make(chan struct{})
	go func() { opening.Wait(); close(done) }()
	select {
	case <-done:
		return ctx.Err()
	case <-limit.Done():
		return fmt.Errorf("%d of %d watches were open within %g s", w.opened.Load(), count, w.order.Timeout)
	}
}

func (w *watches) watch(ctx context.Context, client *http.Client, group int, version string, answered func()) {
	query := url.Values{"watch": {"1"}, "resourceVersion": {version}, "timeoutSeconds": {"86400"}}
	if selector := w.order.Selectors[group]; selector != "" {
		query.Set("fieldSelector", selector)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.credentials.Server+w.order.Path+"?"+query.Encode(), nil)
	if err != nil {
		w.refuse(err.Error())
		return
	}
	request.Header.Set("Accept", "application/json")
	if w.credentials.Token != "" {
		request.Header.Set("Authorization", "Bearer "+w.credentials.Token)
	}
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			w.refuse(err.Error())
		}
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		w.refuse(fmt.Sprintf("%d %s", response.StatusCode, strings.TrimSpace(string(text))))
		return
	}
	w.opened.Add(1)
	w.groups[group].Add(1)
	answered()
	err = w.read(response.Body)
	w.opened.Add(-1)
	w.groups[group].Add(-1)
	if ctx.Err() == nil {
		w.ended.Add(1)
		w.say(fmt.Sprintf("ended: %v", err))
	}
}

// read takes lines until there are no more; always an error, io.EOF when the server ended it.
func (w *watches) read(body io.Reader) error {
	reader := bufio.NewReaderSize(body, buffer)
	var line []byte
	for {
		part, more, err := reader.ReadLine()
		if err != nil {
			return err
		}
		if line = append(line, part...); more {
			continue
		}
		now := w.since()
		w.tally.received(stamp(line), now, len(line)+1)
		line = line[:0]
	}
}

// stamp is when the change was sent that a line reports; 0 when it reports none.
func stamp(line []byte) time.Duration {
	_, rest, found := bytes.Cut(line, mark)
	if !found {
		return 0
	}
	digits, _, _ := bytes.Cut(rest, []byte(`"`))
	value, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(value)
}

func (w *watches) refuse(why string) {
	w.refused.Add(1)
	w.say("refused: " + why)
}

func (w *watches) say(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said == "" {
		w.said = why
	}
}

func (w *watches) why() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}
