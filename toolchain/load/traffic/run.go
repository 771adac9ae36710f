package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/lines"
)

// Begin is the line after which the load runs: all objects are there. UnixNS is the origin of the raw file's times.
type Begin struct {
	Event   string  `json:"event"` // "begin"
	UnixNS  int64   `json:"unix_ns"`
	Prewarm float64 `json:"prewarm"` // seconds that making the objects took
}

// Rung is the result of one rung. Rates are operations per second over all control planes: Achieved counts those that
// were done, until the last of them was back.
type Rung struct {
	Event     string      `json:"event"` // "rung"
	Rung      int         `json:"rung"`
	Factor    float64     `json:"factor"`
	Begin     float64     `json:"begin"` // seconds after the "begin" line
	Seconds   float64     `json:"seconds"`
	Offered   float64     `json:"offered"`
	Achieved  float64     `json:"achieved"`
	Saturated bool        `json:"saturated"`
	Read      Operation   `json:"read"`
	Write     Operation   `json:"write"`
	Usage     lines.Usage `json:"usage"`
}

// Result is the last line.
type Result struct {
	Event string      `json:"event"` // "result"
	Usage lines.Usage `json:"usage"`
}

// Run makes the objects, then runs rung after rung until one is saturated: less than LeastAchieved of what was offered
// was done in time.
func Run(ctx context.Context, order Order, out *lines.Writer) (err error) {
	before, began := lines.Used(), time.Now()
	names := make([]string, len(order.Clusters))
	targets := make([]*target, len(order.Clusters))
	for i, one := range order.Clusters {
		client, err := cluster.New(one, order.Limiter)
		if err != nil {
			return fmt.Errorf("%w: clusters: %w", lines.ErrOrder, err)
		}
		defer client.Close()
		names[i], targets[i] = one.Name, newTarget(i, client, order.Objects)
	}
	to, err := newTally(order.Raw, names)
	if err != nil {
		return fmt.Errorf("%w: raw: %w", lines.ErrOrder, err)
	}
	defer func() { err = errors.Join(err, to.close()) }()
	for i, one := range targets {
		// Another client, so that the load begins with a full bucket, as kplane's does.
		maker, err := cluster.New(order.Clusters[i], nil)
		if err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, seconds(order.Timeout))
		err = one.warm(limit, maker, order.ObjectBytes)
		cancel()
		maker.Close()
		if err != nil {
			return err
		}
	}
	prewarm := time.Since(began).Seconds()
	origin := time.Now()
	since := func() time.Duration { return time.Since(origin) }
	if err := out.Write(Begin{"begin", origin.UnixNano(), prewarm}); err != nil {
		return err
	}
	for number, factor := range order.Rungs {
		to.reset()
		start, used := since(), lines.Used()
		if order.Model == "open" {
			open(ctx, order, number, factor, targets, since, to)
		} else {
			closed(ctx, order, targets, since, to)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rung, err := result(order, number, factor, start, to)
		if err != nil {
			return err
		}
		rung.Usage = lines.Used().Since(used)
		if err := out.Write(rung); err != nil {
			return err
		}
		if rung.Saturated {
			break
		}
	}
	return out.Write(Result{"result", lines.Used().Since(before)})
}

func result(order Order, number int, factor float64, start time.Duration, to *tally) (Rung, error) {
	read, err := to.reads.result(false)
	write, second := to.writes.result(true)
	if err := errors.Join(err, second); err != nil {
		return Rung{}, err
	}
	if order.Model == "closed" { // what the rates would have been; ticks that were lost are among them
		each := func(rate float64) int64 { return int64(rate*factor*order.Seconds) * int64(len(order.Clusters)) }
		read.Offered, write.Offered = each(order.ReadRate), each(order.WriteRate)
	}
	rung := Rung{Event: "rung", Rung: number, Factor: factor, Begin: start.Seconds(), Read: read, Write: write}
	rung.Seconds = max(order.Seconds, (to.last - start).Seconds())
	rung.Offered = float64(read.Offered+write.Offered) / order.Seconds
	rung.Achieved = float64(read.Done+write.Done) / rung.Seconds
	rung.Saturated = rung.Achieved < order.LeastAchieved*rung.Offered
	return rung, nil
}
