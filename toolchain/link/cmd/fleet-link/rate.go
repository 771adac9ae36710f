package main

import (
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// sharedRate lets through so many bytes a second in one direction, of all connections together, as a link does.
// toxiproxy's own toxic `bandwidth` gives each connection the whole rate.
//
// It stands behind the delay: a chunk arrives there, then waits for its turn on the link.
type sharedRate struct {
	// Rate in bytes per second; 0 is no limit.
	Rate int64 `json:"rate"`

	mutex sync.Mutex
	// free is when everything that was taken so far has passed.
	free time.Time
}

// reserve takes the link for so many bytes and returns how long they have to wait until they have passed.
func (t *sharedRate) reserve(bytes int, now time.Time) time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.Rate <= 0 {
		return 0
	}
	if t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Duration(bytes) * time.Second / time.Duration(t.Rate))
	return t.free.Sub(now)
}

// Pipe passes on what comes in until the connection ends or the toxic is changed.
func (t *sharedRate) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			wait := t.reserve(len(chunk.Data), time.Now())
			if wait > 0 {
				select {
				case <-time.After(wait):
				case <-stub.Interrupt:
					stub.Output <- chunk // nothing is lost when the rate is changed
					return
				}
			}
			stub.Output <- chunk
		}
	}
}

func init() {
	toxics.Register("shared_rate", new(sharedRate))
}
