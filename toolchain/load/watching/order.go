// Package watching holds many watches of one control plane open, changes objects at a rate, and measures how long each
// change takes to reach each watch. Step after step there are more watches, until one of the limits is passed.
package watching

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// HTTP1 and HTTP2 are the protocols.
const (
	HTTP1 = "http/1.1"
	HTTP2 = "http/2"
)

// Object is changed in turn with the others. Group is the index of the selector whose watches must report it.
type Object struct {
	Path  string `json:"path"`
	Group int    `json:"group"`
}

// Order is one series of steps. Durations are seconds.
type Order struct {
	Cluster       cluster.Cluster `json:"cluster"`
	Path          string          `json:"path"`      // of the collection that is watched
	Selectors     []string        `json:"selectors"` // field selectors, which watches take in turn; "" selects all
	Objects       []Object        `json:"objects"`
	Protocol      string          `json:"protocol"`
	PerConnection int             `json:"per_connection"` // watches that share a connection; 1 with HTTP/1.1
	Rate          float64         `json:"rate"`           // changes per second, of all objects together
	Watches       []int           `json:"watches"`        // of each step, ascending
	Settle        float64         `json:"settle"`         // before and after each window
	Seconds       float64         `json:"seconds"`        // of a window
	Late          float64         `json:"late"`           // the p99 that ends the series
	Grace         float64         `json:"grace"`          // how long after a window its changes may still come
	Opening       int             `json:"opening"`        // watches that are opened at a time
	Timeout       float64         `json:"timeout"`        // of one request, and for all watches of a step to open
}

// Validate names the field that is wrong.
func (o Order) Validate() error {
	if err := o.Cluster.Validate(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	switch {
	case o.Path == "" || o.Path[0] != '/':
		return errors.New("path: must begin with a slash")
	case len(o.Selectors) == 0 || len(o.Objects) == 0:
		return errors.New("selectors, objects: none")
	case o.Protocol != HTTP1 && o.Protocol != HTTP2:
		return fmt.Errorf("protocol: %q is neither %s nor %s", o.Protocol, HTTP1, HTTP2)
	case o.PerConnection < 1 || (o.Protocol == HTTP1 && o.PerConnection > 1):
		return fmt.Errorf("per_connection: %d: at least 1, and 1 with %s, which has one request on a connection", o.PerConnection, HTTP1)
	case o.Rate <= 0:
		return errors.New("rate: positive")
	case len(o.Watches) == 0 || o.Watches[0] < 1 || !slices.IsSorted(o.Watches):
		return errors.New("watches: positive and ascending")
	case o.Settle < 0 || o.Seconds <= 0 || o.Late <= 0 || o.Timeout <= 0:
		return errors.New("settle not negative; seconds, late and timeout positive")
	case o.Grace < o.Late:
		return errors.New("grace: at least as long as late")
	case o.Opening < 1:
		return errors.New("opening: positive")
	}
	for _, one := range o.Objects {
		if one.Group < 0 || one.Group >= len(o.Selectors) {
			return fmt.Errorf("objects: %s: there is no selector %d", one.Path, one.Group)
		}
	}
	return nil
}

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }
