// Package creating makes objects of one collection and times each request: closed clients that each send their next when
// the last is answered, or an open loop at a fixed rate.
package creating

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// Name stands in the body of an object where its name goes.
const Name = "$name"

// Order is one load. Durations are seconds.
type Order struct {
	Cluster cluster.Cluster `json:"cluster"`
	Path    string          `json:"path"`    // of the collection
	Body    string          `json:"body"`    // JSON of an object, with Name where its name goes
	Prefix  string          `json:"prefix"`  // of names; a number of five digits follows
	Model   string          `json:"model"`   // "closed" or "open"
	Clients int             `json:"clients"` // each with a connection of its own; an open loop sends by them in turn
	Rate    float64         `json:"rate"`    // of an open loop, per second
	Objects int             `json:"objects"`
	Timeout float64         `json:"timeout"` // of one request, from the moment that it is due
	Raw     string          `json:"raw"`     // file of all requests, .csv.gz
}

// Validate names the field that is wrong.
func (o Order) Validate() error {
	if err := o.Cluster.Validate(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	switch {
	case !strings.HasPrefix(o.Path, "/"):
		return fmt.Errorf("path: %q does not begin with /", o.Path)
	case !json.Valid([]byte(o.Body)) || !strings.Contains(o.Body, Name):
		return fmt.Errorf("body: no JSON with %s in it", Name)
	case o.Model != "open" && o.Model != "closed":
		return fmt.Errorf("model: %q is neither open nor closed", o.Model)
	case o.Clients < 1 || o.Objects < 1:
		return errors.New("clients, objects: positive")
	case (o.Model == "open") != (o.Rate > 0):
		return errors.New("rate: positive for an open loop, 0 for closed clients")
	case o.Timeout <= 0:
		return errors.New("timeout: positive")
	case o.Raw == "":
		return errors.New("raw: missing")
	}
	return nil
}

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }
