package watching

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	longest = 10 * 60 * 1_000_000 // microseconds
	digits  = 3
)

// Latency is a distribution in milliseconds; HDR is the whole histogram (microseconds) in HdrHistogram's V2 encoding.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	HDR   string  `json:"hdr"`
}

// tally counts what belongs to one window: changes that were sent in it, and the lines that report them.
type tally struct {
	mu         sync.Mutex
	begin, end time.Duration // of the window; changes that were sent in it count
	late       time.Duration
	sent       int64 // changes
	refused    int64 // changes that were not accepted
	expected   int64 // lines that must come: a change times the watches that select its object
	tooLate    int64 // lines
	bytes      int64
	delivery   *hdrhistogram.Histogram // from the send of a change to a watch's line
	spread     *hdrhistogram.Histogram // from its first line at any watch to each line
	write      *hdrhistogram.Histogram // from its send to its answer
	first      map[time.Duration]time.Duration
}

func newTally(late time.Duration) *tally {
	made := &tally{late: late}
	made.reset(0, 0)
	return made
}

func (t *tally) reset(begin, end time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin, t.end = begin, end
	t.sent, t.refused, t.expected, t.tooLate, t.bytes = 0, 0, 0, 0, 0
	t.delivery = hdrhistogram.New(1, longest, digits)
	t.spread = hdrhistogram.New(1, longest, digits)
	t.write = hdrhistogram.New(1, longest, digits)
	t.first = map[time.Duration]time.Duration{}
}

// inside says whether a change that was sent at that moment belongs to the window.
func (t *tally) inside(sent time.Duration) bool { return sent > 0 && sent >= t.begin && sent < t.end }

func (t *tally) received(sent, now time.Duration, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.inside(sent) {
		return
	}
	t.bytes += int64(bytes)
	if now-sent > t.late {
		t.tooLate++
	}
	note(t.delivery, now-sent)
	first, known := t.first[sent]
	if !known {
		t.first[sent], first = now, now
	}
	note(t.spread, now-first)
}

// wrote takes the answer of a change, and how many watches must report it.
func (t *tally) wrote(sent, now time.Duration, accepted bool, watches int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.inside(sent) {
		return
	}
	t.sent++
	if !accepted {
		t.refused++
		return
	}
	t.expected += watches
	note(t.write, now-sent)
}

// whole says whether every line has come.
func (t *tally) whole() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delivery.TotalCount() >= t.expected
}

func note(histogram *hdrhistogram.Histogram, took time.Duration) {
	_ = histogram.RecordValue(min(max(1, took.Microseconds()), longest)) // within the range by construction
}

func summed(histogram *hdrhistogram.Histogram) (Latency, error) {
	text, err := histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	at := func(q float64) float64 { return float64(histogram.ValueAtQuantile(q)) / 1000 }
	return Latency{
		histogram.TotalCount(), histogram.Mean() / 1000, at(50), at(90), at(99), float64(histogram.Max()) / 1000, string(text),
	}, err
}
