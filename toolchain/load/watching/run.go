package watching

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/lines"
)

// Begin is the line at the begin of a window: all watches of the step are open.
type Begin struct {
	Event       string  `json:"event"` // "begin"
	Watches     int     `json:"watches"`
	Connections int64   `json:"connections"`
	Opening     float64 `json:"opening"` // seconds that the new ones took to open
}

// Step is the line at the end of a window, after the grace in which its changes could still come. Lines are those that
// watches received.
type Step struct {
	Event       string      `json:"event"` // "step"
	Watches     int         `json:"watches"`
	Open        int64       `json:"open"`
	Ended       int64       `json:"ended"`   // thrown off, since the series began
	Refused     int64       `json:"refused"` // never opened, likewise
	Why         string      `json:"why"`     // the first of them
	Connections int64       `json:"connections"`
	Seconds     float64     `json:"seconds"`
	Changes     int64       `json:"changes"`
	Rejected    int64       `json:"rejected"` // changes that the server did not accept
	Unsent      int64       `json:"unsent"`   // changes that were not sent: too many were unanswered
	Expected    int64       `json:"expected"` // lines
	Received    int64       `json:"received"`
	Late        int64       `json:"late"` // lines that came after the limit
	Bytes       int64       `json:"bytes"`
	Delivery    Latency     `json:"delivery"` // from the send of a change to its line
	Spread      Latency     `json:"spread"`   // from its first line at any watch to each line: what many watches cost, whatever the write took
	Write       Latency     `json:"write"`    // from its send to its answer
	P99         *float64    `json:"p99"`      // ms, of all expected lines; null when more than a hundredth never came
	Limit       string      `json:"limit"`    // why the series ends here: "late", "thrown-off", "refused", "writes", or ""
	Usage       lines.Usage `json:"usage"`
}

// Result is the last line.
type Result struct {
	Event string      `json:"event"` // "result"
	Limit string      `json:"limit"`
	Usage lines.Usage `json:"usage"`
}

const (
	inFlight    = 1000 // changes without an answer
	fewestSent  = 0.9  // share of the changes that were due: less, and the rate was not the order's
	shareInTime = 0.99
)

// Run takes step after step until a limit is passed.
func Run(ctx context.Context, order Order, out *lines.Writer) error {
	credentials, err := order.Cluster.Credentials()
	if err != nil {
		return fmt.Errorf("%w: cluster: %w", lines.ErrOrder, err)
	}
	writer, err := cluster.New(order.Cluster, nil)
	if err != nil {
		return fmt.Errorf("%w: cluster: %w", lines.ErrOrder, err)
	}
	defer writer.Close()
	origin := time.Now()
	since := func() time.Duration { return time.Since(origin) }
	to := newTally(seconds(order.Late))
	all := &watches{
		order: order, credentials: credentials, since: since, tally: to, groups: make([]atomic.Int64, len(order.Selectors)),
	}
	ctx, end := context.WithCancel(ctx)
	changes := &changes{order: order, client: writer, watches: all, tally: to, since: since}
	var changing sync.WaitGroup
	changing.Go(func() { changes.run(ctx) })
	defer func() { end(); changing.Wait(); all.reading.Wait() }()
	limit := ""
	for _, count := range order.Watches {
		used := lines.Used()
		step, err := one(ctx, order, count, all, changes, out)
		if err != nil {
			return err
		}
		step.Usage = lines.Used().Since(used)
		if err := out.Write(step); err != nil {
			return err
		}
		// The driver looks at the programs after each window, while all is as it was in it.
		if !sleep(ctx, seconds(order.Settle)) {
			return context.Cause(ctx)
		}
		if limit = step.Limit; limit != "" {
			break
		}
	}
	return out.Write(Result{"result", limit, lines.Used()})
}

// one opens the watches of a step and measures a window.
func one(ctx context.Context, order Order, count int, all *watches, changes *changes, out *lines.Writer) (Step, error) {
	version, err := newest(ctx, order, changes.client)
	if err != nil {
		return Step{}, err
	}
	began := time.Now()
	stuck := all.open(ctx, count, version)
	if ctx.Err() != nil {
		return Step{}, context.Cause(ctx)
	}
	opening := time.Since(began).Seconds()
	if !sleep(ctx, seconds(order.Settle)) {
		return Step{}, context.Cause(ctx)
	}
	if err := out.Write(Begin{"begin", count, all.connections.Load(), opening}); err != nil {
		return Step{}, err
	}
	begin := all.since()
	end := begin + seconds(order.Seconds)
	unsent := changes.unsent.Load()
	all.tally.reset(begin, end)
	if !sleep(ctx, end-all.since()) {
		return Step{}, context.Cause(ctx)
	}
	unsent = changes.unsent.Load() - unsent
	// A change that was sent right before the end is answered and reported a little later.
	deadline := end + seconds(order.Grace)
	for first := true; all.since() < deadline && (first || changes.under.Load() > 0 || !all.tally.whole()); first = false {
		if !sleep(ctx, 100*time.Millisecond) {
			return Step{}, context.Cause(ctx)
		}
	}
	return result(order, count, unsent, all, stuck)
}

func result(order Order, count int, unsent int64, all *watches, stuck error) (Step, error) {
	t := all.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	delivery, err := summed(t.delivery)
	write, second := summed(t.write)
	spread, third := summed(t.spread)
	if err := errors.Join(err, second, third); err != nil {
		return Step{}, err
	}
	step := Step{
		Event: "step", Watches: count, Open: all.opened.Load(), Ended: all.ended.Load(), Refused: all.refused.Load(), Why: all.why(),
		Connections: all.connections.Load(), Seconds: order.Seconds, Changes: t.sent, Rejected: t.refused, Unsent: unsent,
		Expected: t.expected, Received: delivery.Count, Late: t.tooLate, Bytes: t.bytes, Delivery: delivery, Spread: spread, Write: write,
	}
	// What never came is later than all that did.
	if wanted := shareInTime * float64(t.expected); t.expected > 0 && float64(delivery.Count) >= wanted {
		p99 := float64(t.delivery.ValueAtQuantile(100*min(1, wanted/float64(delivery.Count)))) / 1000
		step.P99 = &p99
	}
	due := order.Rate * order.Seconds
	switch {
	case step.Ended > 0:
		step.Limit = "thrown-off"
	case step.Refused > 0 || stuck != nil:
		step.Limit = "refused"
		if stuck != nil && step.Why == "" {
			step.Why = stuck.Error()
		}
	case step.P99 == nil || *step.P99 > 1000*order.Late:
		step.Limit = "late"
	case float64(step.Changes-step.Rejected) < fewestSent*due:
		step.Limit = "writes"
	}
	return step, nil
}

// newest is the version from which new watches begin.
func newest(ctx context.Context, order Order, client *cluster.Client) (string, error) {
	limit, cancel := context.WithTimeout(ctx, seconds(order.Timeout))
	defer cancel()
	answer, err := client.Do(limit, http.MethodGet, order.Path+"?limit=1", nil)
	if err != nil {
		return "", fmt.Errorf("the list of %s: %w", order.Path, err)
	}
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if answer.Status != http.StatusOK {
		return "", fmt.Errorf("the list of %s: %d %.200s", order.Path, answer.Status, answer.Body)
	}
	if err := json.Unmarshal(answer.Body, &list); err != nil {
		return "", fmt.Errorf("the list of %s: %w", order.Path, err)
	}
	return list.Metadata.ResourceVersion, nil
}

// changes are an open loop: each is sent at its moment, whatever became of the ones before.
type changes struct {
	order   Order
	client  *cluster.Client
	watches *watches
	tally   *tally
	since   func() time.Duration
	under   atomic.Int64 // without an answer
	unsent  atomic.Int64
}

func (c *changes) run(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	period := seconds(1 / c.order.Rate)
	for n, due := 0, c.since(); sleep(ctx, due-c.since()); n, due = n+1, due+period {
		if c.under.Load() >= inFlight {
			c.unsent.Add(1)
			continue
		}
		c.under.Add(1)
		sending.Go(func() {
			defer c.under.Add(-1)
			c.send(ctx, c.order.Objects[n%len(c.order.Objects)])
		})
	}
}

func (c *changes) send(ctx context.Context, object Object) {
	limit, cancel := context.WithTimeout(ctx, seconds(c.order.Timeout))
	defer cancel()
	watches, sent := c.watches.groups[object.Group].Load(), c.since()
	body := fmt.Sprintf(`{"metadata":{"annotations":{%q:"%d"}}}`, Annotation, int64(sent))
	answer, err := c.client.Do(limit, http.MethodPatch, object.Path, []byte(body))
	c.tally.wrote(sent, c.since(), err == nil && answer.Status == http.StatusOK, watches)
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
