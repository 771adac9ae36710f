package traffic

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fleet.example/toolchain/load/cluster"
)

// Columns are those of the raw file, one row per operation. Times are microseconds since the "begin" line; got is of
// writes, when their Get was back.
var Columns = []string{"rung", "cluster", "op", "late", "due_us", "sent_us", "got_us", "end_us", "outcome"}

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
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
	HDR   string  `json:"hdr"`
}

// Operation is what became of one kind of operation in one rung. Due latencies begin when an operation was due, Sent ones
// when it was sent; Get and Update are the parts of a write.
type Operation struct {
	Offered int64                     `json:"offered"`
	Done    int64                     `json:"done"`
	Late    int64                     `json:"late"`
	Errors  map[cluster.Outcome]int64 `json:"errors"`
	Due     Latency                   `json:"due"`
	Sent    Latency                   `json:"sent"`
	Get     *Latency                  `json:"get,omitempty"`
	Update  *Latency                  `json:"update,omitempty"`
}

// counter counts one kind of operation.
type counter struct {
	offered, done, late    int64
	errors                 map[cluster.Outcome]int64
	due, sent, get, update *hdrhistogram.Histogram
}

func newCounter() *counter {
	made := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, digits) }
	return &counter{errors: map[cluster.Outcome]int64{}, due: made(), sent: made(), get: made(), update: made()}
}

func (c *counter) take(op operation) {
	c.offered++
	if op.late {
		c.late++
	}
	if op.outcome != cluster.Done {
		c.errors[op.outcome]++
		return
	}
	c.done++
	note(c.due, op.end-op.due)
	note(c.sent, op.end-op.sent)
	if op.write {
		note(c.get, op.got-op.sent)
		note(c.update, op.end-op.got)
	}
}

func note(histogram *hdrhistogram.Histogram, took time.Duration) {
	_ = histogram.RecordValue(min(max(1, took.Microseconds()), longest)) // within the range by construction
}

func (c *counter) result(write bool) (Operation, error) {
	var failed []error
	summed := func(histogram *hdrhistogram.Histogram) Latency {
		text, err := histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		failed = append(failed, err)
		at := func(q float64) float64 { return float64(histogram.ValueAtQuantile(q)) / 1000 }
		return Latency{
			histogram.TotalCount(), histogram.Mean() / 1000, at(50), at(90), at(99), at(99.9),
			float64(histogram.Max()) / 1000, string(text),
		}
	}
	made := Operation{Offered: c.offered, Done: c.done, Late: c.late, Errors: c.errors, Due: summed(c.due), Sent: summed(c.sent)}
	if write {
		get, update := summed(c.get), summed(c.update)
		made.Get, made.Update = &get, &update
	}
	return made, errors.Join(failed...)
}

// tally counts operations and writes each into the raw file; use from many goroutines.
type tally struct {
	mu     sync.Mutex
	file   *os.File
	packed *gzip.Writer
	rows   *csv.Writer
	names  []string
	reads  *counter
	writes *counter
	last   time.Duration // end of the last operation that was done
}

// newTally makes the raw file, which must not be there yet.
func newTally(file string, names []string) (*tally, error) {
	opened, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	packed, err := gzip.NewWriterLevel(opened, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	rows := csv.NewWriter(packed)
	made := &tally{file: opened, packed: packed, rows: rows, names: names}
	made.reset()
	return made, rows.Write(Columns)
}

func (t *tally) reset() { t.reads, t.writes, t.last = newCounter(), newCounter(), 0 }

func (t *tally) take(op operation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name, to := "read", t.reads
	if op.write {
		name, to = "write", t.writes
	}
	to.take(op)
	if op.outcome == cluster.Done {
		t.last = max(t.last, op.end)
	}
	us := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	// A write that failed stays in csv's buffer and is reported by close.
	_ = t.rows.Write([]string{
		strconv.Itoa(op.rung), t.names[op.cluster], name, strconv.FormatBool(op.late),
		us(op.due), us(op.sent), us(op.got), us(op.end), string(op.outcome),
	})
}

func (t *tally) close() error {
	t.rows.Flush()
	return errors.Join(t.rows.Error(), t.packed.Close(), t.file.Close())
}
