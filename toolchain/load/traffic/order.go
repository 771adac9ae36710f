// Package traffic reads and writes objects of control planes: an open loop whose requests are due at fixed moments, or a
// closed loop as kplane's bench has it, one operation at a time per reader and writer.
package traffic

import (
	"errors"
	"fmt"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// Order is one load. Durations are seconds.
type Order struct {
	Clusters      []cluster.Cluster `json:"clusters"`
	Model         string            `json:"model"` // "open" or "closed"
	Limiter       *cluster.Limiter  `json:"limiter"`
	WriteRate     float64           `json:"write_rate"` // per second and control plane; a write is a Get and an Update
	ReadRate      float64           `json:"read_rate"`
	Seconds       float64           `json:"seconds"` // of each rung
	Rungs         []float64         `json:"rungs"`   // factors of both rates, one rung each
	LeastAchieved float64           `json:"least_achieved"`
	ObjectBytes   int               `json:"object_bytes"`
	Objects       int               `json:"objects"` // made in each control plane before the load
	Timeout       float64           `json:"timeout"` // of one operation, from the moment that it is due
	InFlight      int               `json:"in_flight"`
	Raw           string            `json:"raw"` // file of all operations, .csv.gz
	Seed          uint64            `json:"seed"`
}

// Validate names the field that is wrong.
func (o Order) Validate() error {
	switch {
	case len(o.Clusters) == 0:
		return errors.New("clusters: none")
	case o.Model != "open" && o.Model != "closed":
		return fmt.Errorf("model: %q is neither open nor closed", o.Model)
	case o.WriteRate < 0 || o.ReadRate < 0 || o.WriteRate+o.ReadRate == 0:
		return errors.New("write_rate, read_rate: not negative, and not both 0")
	case o.Seconds <= 0 || o.Timeout <= 0:
		return errors.New("seconds, timeout: positive")
	case len(o.Rungs) == 0:
		return errors.New("rungs: none")
	case o.Model == "closed" && len(o.Rungs) > 1:
		return errors.New("rungs: a closed client has no rate to raise: give one")
	case o.ObjectBytes < 0 || o.Objects < 1 || o.InFlight < 1:
		return errors.New("object_bytes not negative, objects and in_flight positive")
	case o.Raw == "":
		return errors.New("raw: missing")
	}
	for _, factor := range o.Rungs {
		if factor <= 0 {
			return fmt.Errorf("rungs: %g is not positive", factor)
		}
	}
	if o.Limiter != nil {
		if err := o.Limiter.Validate(); err != nil {
			return err
		}
	}
	for _, one := range o.Clusters {
		if err := one.Validate(); err != nil {
			return fmt.Errorf("clusters: %w", err)
		}
	}
	return nil
}

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }
