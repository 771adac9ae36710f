package creating

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"os"
	"strconv"
	"time"

	"fleet.example/toolchain/load/cluster"
)

// Columns are those of the raw file, one row per request. Times are microseconds since the "begin" line; status is 0 where
// there was no answer.
var Columns = []string{"number", "client", "due_us", "sent_us", "end_us", "status", "outcome"}

// request is one request and when its parts were, since the load began.
type request struct {
	number, client int
	due, sent, end time.Duration
	status         int
	outcome        cluster.Outcome
}

// write makes the raw file, which must not be there yet. Rows are written after the load: the disk is no part of it.
func write(file string, requests []request) (err error) {
	opened, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	packed := gzip.NewWriter(opened)
	rows := csv.NewWriter(packed)
	us := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	failed := rows.Write(Columns)
	for _, one := range requests {
		failed = errors.Join(failed, rows.Write([]string{
			strconv.Itoa(one.number), strconv.Itoa(one.client), us(one.due), us(one.sent), us(one.end),
			strconv.Itoa(one.status), string(one.outcome),
		}))
	}
	rows.Flush()
	return errors.Join(failed, rows.Error(), packed.Close())
}
