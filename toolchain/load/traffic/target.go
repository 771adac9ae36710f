package traffic

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// object has one writer at a time: who holds its turn.
type object struct {
	path string
	turn chan struct{}
}

// target is one control plane under load.
type target struct {
	index   int
	client  *cluster.Client
	objects []*object
}

func newTarget(index int, client *cluster.Client, objects int) *target {
	made := &target{index: index, client: client}
	for i := range objects {
		path := fmt.Sprintf("%s/w-%d", cluster.WidgetsPath(client.Name), i)
		made.objects = append(made.objects, &object{path, make(chan struct{}, 1)})
	}
	return made
}

// warm makes the objects, by a client without a limiter; those that are there already are kept.
func (t *target) warm(ctx context.Context, client *cluster.Client, bytes int) error {
	for i := range t.objects {
		body := cluster.NewWidget(client.Name, fmt.Sprintf("w-%d", i), bytes)
		answer, err := client.Do(ctx, http.MethodPost, cluster.WidgetsPath(client.Name), body)
		if outcome := cluster.Of(answer, err); outcome != cluster.Done && outcome != cluster.Conflict {
			return fmt.Errorf("%s: object w-%d was not made: %s %d %w", client.Name, i, outcome, answer.Status, err)
		}
	}
	return nil
}

// operation is one read or write, and when its parts were. Times are since the load began; a part that never was is 0.
type operation struct {
	rung    int
	cluster int
	write   bool
	late    bool // its object's former write was not back
	due     time.Duration
	sent    time.Duration
	got     time.Duration // of a write: its Get is back
	end     time.Duration
	outcome cluster.Outcome
}

// do carries out an operation on the n-th object.
func (t *target) do(ctx context.Context, op operation, n int, since func() time.Duration) operation {
	one := t.objects[n%len(t.objects)]
	if op.write {
		select {
		case one.turn <- struct{}{}:
		default:
			op.late = true
			select {
			case one.turn <- struct{}{}:
			case <-ctx.Done():
				op.sent, op.outcome = since(), cluster.Timeout
				op.end = op.sent
				return op
			}
		}
		defer func() { <-one.turn }()
	}
	op.sent = since()
	answer, err := t.client.Do(ctx, http.MethodGet, one.path, nil)
	op.end, op.outcome = since(), cluster.Of(answer, err)
	if !op.write || op.outcome != cluster.Done {
		return op
	}
	op.got = op.end
	body, err := cluster.Next(answer.Body)
	if err != nil {
		op.outcome = cluster.Connection // an answer that is cut short
		return op
	}
	answer, err = t.client.Do(ctx, http.MethodPut, one.path, body)
	op.end, op.outcome = since(), cluster.Of(answer, err)
	return op
}
