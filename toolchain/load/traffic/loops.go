package traffic

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// open sends every operation at its moment, whatever became of the ones before; it returns when all are back.
func open(ctx context.Context, order Order, rung int, factor float64, targets []*target, since func() time.Duration, to *tally) {
	start := since()
	slots := make(chan struct{}, order.InFlight)
	random := rand.New(rand.NewPCG(order.Seed, uint64(rung)))
	var pacing, operations sync.WaitGroup
	for _, one := range targets {
		for _, write := range []bool{false, true} {
			rate := factor * order.ReadRate
			if write {
				rate = factor * order.WriteRate
			}
			if rate == 0 {
				continue
			}
			period := seconds(1 / rate)
			// Each control plane begins at a moment of its own, else all would be hit at once.
			due := start + time.Duration(random.Float64()*float64(period))
			pacing.Go(func() {
				for n := 0; due < start+seconds(order.Seconds); n++ {
					if !sleep(ctx, due-since()) {
						return
					}
					op := operation{rung: rung, cluster: one.index, write: write, due: due}
					select {
					case slots <- struct{}{}:
						operations.Go(func() {
							defer func() { <-slots }()
							limit, cancel := context.WithTimeout(ctx, max(0, op.due+seconds(order.Timeout)-since()))
							defer cancel()
							to.take(one.do(limit, op, n, since))
						})
					default:
						op.sent, op.outcome = since(), cluster.Unsent
						op.end = op.sent
						to.take(op)
					}
					due += period
				}
			})
		}
	}
	pacing.Wait()
	operations.Wait()
}

// closed is kplane's loop: a ticker for each reader and writer, one operation at a time, ticks that pass meanwhile are
// lost, and everything ends at one deadline. Both of a control plane share its client and that client's token bucket.
func closed(ctx context.Context, order Order, targets []*target, since func() time.Duration, to *tally) {
	ctx, cancel := context.WithTimeout(ctx, seconds(order.Seconds))
	defer cancel()
	var group sync.WaitGroup
	for _, one := range targets {
		for _, write := range []bool{false, true} {
			rate := order.Rungs[0] * order.ReadRate
			if write {
				rate = order.Rungs[0] * order.WriteRate
			}
			if rate == 0 {
				continue
			}
			group.Go(func() {
				ticker := time.NewTicker(seconds(1 / rate))
				defer ticker.Stop()
				for n := 0; ; n++ {
					select {
					case <-ctx.Done():
						return
					case tick := <-ticker.C:
						if ctx.Err() != nil {
							return
						}
						due := since() - time.Since(tick)
						to.take(one.do(ctx, operation{cluster: one.index, write: write, due: due}, n, since))
					}
				}
			})
		}
	}
	group.Wait()
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
