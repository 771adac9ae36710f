package cluster

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// Outcome is the class that a request ends in.
type Outcome string

// The classes. Limited and Unsent never reached a server.
const (
	Done       Outcome = "done"
	Limited    Outcome = "limited"    // the client's own token bucket
	Unsent     Outcome = "unsent"     // too many requests in flight
	Timeout    Outcome = "timeout"    // no answer in time
	Connection Outcome = "connection" // refused, reset, TLS
	Conflict   Outcome = "conflict"   // 409
	Throttled  Outcome = "throttled"  // 429: the server's own fairness
	Refused    Outcome = "refused"    // any other 4xx
	Server     Outcome = "server"     // 5xx
)

// Of classes an answer or the error in its place.
func Of(answer Answer, err error) Outcome {
	var network net.Error
	switch {
	case errors.Is(err, ErrLimited):
		return Limited
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout
	case errors.As(err, &network) && network.Timeout():
		return Timeout
	case err != nil:
		return Connection
	case answer.Status < http.StatusBadRequest:
		return Done
	case answer.Status == http.StatusConflict:
		return Conflict
	case answer.Status == http.StatusTooManyRequests:
		return Throttled
	case answer.Status < http.StatusInternalServerError:
		return Refused
	default:
		return Server
	}
}
