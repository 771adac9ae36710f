package traffic

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/fake"
	"fleet.example/toolchain/load/lines"
)

func small(t *testing.T, servers ...*fake.Server) Order {
	t.Helper()
	order := Order{
		Model: "open", WriteRate: 20, ReadRate: 40, Seconds: 0.5, Rungs: []float64{1}, ObjectBytes: 10, Objects: 2,
		Timeout: 30, InFlight: 1000, Raw: filepath.Join(t.TempDir(), "raw.csv.gz"),
	}
	for _, server := range servers {
		order.Clusters = append(order.Clusters, server.Cluster)
	}
	return order
}

// ran returns the rungs of a load and the rows of its raw file.
func ran(t *testing.T, order Order) ([]Rung, [][]string) {
	t.Helper()
	if err := order.Validate(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(context.Background(), order, lines.NewWriter(&out)); err != nil {
		t.Fatal(err)
	}
	var rungs []Rung
	for line := range bytes.Lines(out.Bytes()) {
		var rung Rung
		if err := json.Unmarshal(line, &rung); err != nil {
			t.Fatal(err)
		}
		if rung.Event == "rung" {
			rungs = append(rungs, rung)
		}
	}
	file, err := os.Open(order.Raw)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	packed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(packed).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], Columns) {
		t.Fatalf("columns %v", rows[0])
	}
	return rungs, rows[1:]
}

func TestOpenLoopSendsEverythingAndEveryRowIsKept(t *testing.T) {
	one, two := fake.Start(t, "a"), fake.Start(t, "b")
	rungs, rows := ran(t, small(t, one, two))
	got := rungs[0]
	if got.Read.Offered != 40 || got.Write.Offered != 20 { // 2 clusters, half a second: 40/s and 20/s
		t.Errorf("offered %d reads and %d writes", got.Read.Offered, got.Write.Offered)
	}
	if got.Read.Done != 40 || got.Write.Done != 20 || len(rows) != 60 {
		t.Errorf("done %d and %d, %d rows", got.Read.Done, got.Write.Done, len(rows))
	}
	if one.Seq()+two.Seq() != 20 {
		t.Errorf("written %d times", one.Seq()+two.Seq())
	}
	// 4 objects are made, then a write is one PUT, and a GET alongside the reads'.
	if n := one.Requests("GET") + two.Requests("GET"); n != 60 {
		t.Errorf("%d GETs", n)
	}
	histogram, err := hdrhistogram.Decode([]byte(got.Write.Update.HDR))
	if err != nil || histogram.TotalCount() != 20 {
		t.Errorf("update histogram: %v, %d", err, histogram.TotalCount())
	}
}

func TestAnObjectHasOneWriterAtATime(t *testing.T) {
	server := fake.Start(t, "a")
	order := small(t, server)
	order.Objects, order.WriteRate, order.ReadRate = 1, 400, 0
	rungs, _ := ran(t, order)
	if server.MostWriters() != 1 {
		t.Errorf("%d writers of one object at a time", server.MostWriters())
	}
	if n := rungs[0].Write.Errors[cluster.Conflict]; n != 0 {
		t.Errorf("%d conflicts among writers that take turns", n)
	}
}

func TestClosedLoopSpendsNoMoreTokensThanItsBucketGives(t *testing.T) {
	server := fake.Start(t, "a")
	order := small(t, server)
	order.Model, order.Seconds, order.Limiter = "closed", 1, &cluster.Limiter{QPS: 20, Burst: 4}
	order.WriteRate, order.ReadRate, order.LeastAchieved = 100, 100, 0.95
	rungs, rows := ran(t, order)
	// 1 s: 20 tokens and 4 of the burst; a write is two requests. The objects were made by another client.
	if sent := server.Requests("GET") + server.Requests("PUT"); sent > 24 {
		t.Errorf("%d requests with 24 tokens", sent)
	}
	got := rungs[0]
	if got.Read.Offered != 100 || got.Write.Offered != 100 {
		t.Errorf("offered %d and %d", got.Read.Offered, got.Write.Offered)
	}
	limited := got.Read.Errors[cluster.Limited] + got.Write.Errors[cluster.Limited]
	if limited == 0 {
		t.Error("no operation was refused by the bucket at the end, where a token would come too late")
	}
	if !got.Saturated {
		t.Error("a bucket of 20/s achieves 200/s")
	}
	if len(rows) >= 200 {
		t.Errorf("%d operations: ticks that pass meanwhile are lost", len(rows))
	}
}

func TestErrorsAreCountedByClass(t *testing.T) {
	server := fake.Start(t, "a")
	order := small(t, server)
	order.Objects, order.WriteRate, order.ReadRate = 1, 20, 0
	path := cluster.WidgetsPath("a") + "/w-0"
	server.Answer("PUT "+path, 409, 429, 503)
	server.Answer("GET "+path, 404)
	rungs, _ := ran(t, order)
	want := map[cluster.Outcome]int64{cluster.Conflict: 1, cluster.Throttled: 1, cluster.Server: 1, cluster.Refused: 1}
	if got := rungs[0].Write; !maps.Equal(got.Errors, want) || got.Done != 6 || got.Update.Count != 6 {
		t.Errorf("errors %v, done %d, updates %d", got.Errors, got.Done, got.Update.Count)
	}
}

func TestTheLadderEndsWhereLessIsDoneThanOffered(t *testing.T) {
	order := small(t, fake.Start(t, "a"))
	order.WriteRate, order.ReadRate, order.Rungs, order.LeastAchieved = 0, 20, []float64{1, 2, 4}, 2
	rungs, rows := ran(t, order) // at least twice of what is offered: no rung can reach that
	if len(rungs) != 1 || !rungs[0].Saturated || len(rows) != 10 {
		t.Errorf("%d rungs, %d rows", len(rungs), len(rows))
	}
	order = small(t, fake.Start(t, "a"))
	order.WriteRate, order.ReadRate, order.Rungs = 0, 20, []float64{1, 2}
	rungs, _ = ran(t, order)
	if len(rungs) != 2 || rungs[1].Read.Offered != 20 {
		t.Errorf("%d rungs", len(rungs))
	}
}

func TestAWrongOrderNamesTheField(t *testing.T) {
	good := small(t, fake.Start(t, "a"))
	for name, change := range map[string]func(*Order){
		"model":    func(o *Order) { o.Model = "half" },
		"rungs":    func(o *Order) { o.Rungs = nil },
		"limiter":  func(o *Order) { o.Limiter = &cluster.Limiter{} },
		"raw":      func(o *Order) { o.Raw = "" },
		"clusters": func(o *Order) { o.Clusters = []cluster.Cluster{{Name: "a", Server: "http://x", CA: "x"}} },
	} {
		order := good
		change(&order)
		if err := order.Validate(); err == nil || !bytes.Contains([]byte(err.Error()), []byte(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
