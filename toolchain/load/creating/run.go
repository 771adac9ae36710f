package creating

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/lines"
)

// Begin is the line after which the load runs: every client is connected. UnixNS is the origin of the raw file's times.
type Begin struct {
	Event  string `json:"event"` // "begin"
	UnixNS int64  `json:"unix_ns"`
}

// Result is the last line. Usage is of the load alone.
type Result struct {
	Event   string                    `json:"event"` // "result"
	Offered int                       `json:"offered"`
	Done    int                       `json:"done"`
	Errors  map[cluster.Outcome]int64 `json:"errors"`
	Why     string                    `json:"why"`     // the answer to the first request that failed
	Seconds float64                   `json:"seconds"` // until the last answer
	Usage   lines.Usage               `json:"usage"`
}

// Run connects the clients, then creates the objects.
func Run(ctx context.Context, order Order, out *lines.Writer) error {
	clients := make([]*cluster.Client, order.Clients)
	for i := range clients {
		client, err := cluster.New(order.Cluster, nil)
		if err != nil {
			return fmt.Errorf("%w: cluster: %w", lines.ErrOrder, err)
		}
		defer client.Close()
		clients[i] = client
	}
	for _, client := range clients {
		if err := connect(ctx, client, order); err != nil {
			return err
		}
	}
	origin, used := time.Now(), lines.Used()
	load := &load{order: order, clients: clients, since: func() time.Duration { return time.Since(origin) }}
	load.requests = make([]request, order.Objects)
	if err := out.Write(Begin{"begin", origin.UnixNano()}); err != nil {
		return err
	}
	if order.Model == "open" {
		load.open(ctx)
	} else {
		load.closed(ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	result := load.result()
	result.Usage = lines.Used().Since(used)
	if err := write(order.Raw, load.requests); err != nil {
		return err
	}
	return out.Write(result)
}

// connect makes the connection, so that no measured request waits for TLS.
func connect(ctx context.Context, client *cluster.Client, order Order) error {
	limit, cancel := context.WithTimeout(ctx, seconds(order.Timeout))
	defer cancel()
	answer, err := client.Do(limit, http.MethodGet, "/readyz", nil)
	if err != nil {
		return fmt.Errorf("%s: /readyz: %w", order.Cluster.Name, err)
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("%s: /readyz: %d %s", order.Cluster.Name, answer.Status, answer.Body)
	}
	return nil
}

// load is under way. Each request writes its own place of requests.
type load struct {
	order    Order
	clients  []*cluster.Client
	since    func() time.Duration
	requests []request
	why      atomic.Pointer[string]
}

// closed has each client send the next object when its last is answered, as k6's virtual users do.
func (l *load) closed(ctx context.Context) {
	var next atomic.Int64
	var group sync.WaitGroup
	for client := range l.clients {
		group.Go(func() {
			for ctx.Err() == nil {
				number := int(next.Add(1)) - 1
				if number >= l.order.Objects {
					return
				}
				l.create(ctx, number, client, l.since())
			}
		})
	}
	group.Wait()
}

// open sends each object when it is due, whatever became of those before.
func (l *load) open(ctx context.Context) {
	var group sync.WaitGroup
	for number := range l.order.Objects {
		due := seconds(float64(number) / l.order.Rate)
		if !sleep(ctx, due-l.since()) {
			break
		}
		group.Go(func() { l.create(ctx, number, number%len(l.clients), due) })
	}
	group.Wait()
}

func (l *load) create(ctx context.Context, number, client int, due time.Duration) {
	name := fmt.Sprintf("%s%05d", l.order.Prefix, number)
	body := strings.ReplaceAll(l.order.Body, Name, name)
	limit, cancel := context.WithTimeout(ctx, max(0, due+seconds(l.order.Timeout)-l.since()))
	defer cancel()
	one := request{number: number, client: client, due: due, sent: l.since()}
	answer, err := l.clients[client].Do(limit, http.MethodPost, l.order.Path, []byte(body))
	one.end, one.status, one.outcome = l.since(), answer.Status, cluster.Of(answer, err)
	if one.outcome != cluster.Done && l.why.Load() == nil {
		why := string(answer.Body)
		if err != nil {
			why = err.Error()
		}
		l.why.CompareAndSwap(nil, &why)
	}
	l.requests[number] = one
}

func (l *load) result() Result {
	made := Result{Event: "result", Offered: len(l.requests), Errors: map[cluster.Outcome]int64{}}
	var last time.Duration
	for _, one := range l.requests {
		last = max(last, one.end)
		if one.outcome == cluster.Done {
			made.Done++
		} else {
			made.Errors[one.outcome]++
		}
	}
	if why := l.why.Load(); why != nil {
		made.Why = *why
	}
	made.Seconds = last.Seconds()
	return made
}

// sleep returns false when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
