package creating

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/fake"
	"fleet.example/toolchain/load/lines"
)

func small(t *testing.T, server *fake.Server) Order {
	t.Helper()
	return Order{
		Cluster: server.Cluster, Path: cluster.WidgetsPath(server.Cluster.Name), Body: `{"metadata": {"name": "$name"}}`,
		Prefix: "w-", Model: "closed", Clients: 3, Objects: 20, Timeout: 30, Raw: filepath.Join(t.TempDir(), "raw.csv.gz"),
	}
}

// ran returns the result of a load and the rows of its raw file.
func ran(t *testing.T, order Order) (Result, [][]string) {
	t.Helper()
	if err := order.Validate(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(context.Background(), order, lines.NewWriter(&out)); err != nil {
		t.Fatal(err)
	}
	var result Result
	for line := range bytes.Lines(out.Bytes()) {
		if err := json.Unmarshal(line, &result); err != nil {
			t.Fatal(err)
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
	return result, rows[1:]
}

func TestEveryObjectIsCreatedOnceByClosedClientsAndByAnOpenLoop(t *testing.T) {
	for _, model := range []string{"closed", "open"} {
		server := fake.Start(t, "a")
		order := small(t, server)
		if order.Model = model; model == "open" {
			order.Rate = 200
		}
		result, rows := ran(t, order)
		if result.Offered != 20 || result.Done != 20 || len(rows) != 20 || server.Requests("POST") != 20 {
			t.Errorf("%s: %d of %d, %d rows, %d requests", model, result.Done, result.Offered, len(rows), server.Requests("POST"))
		}
		if server.Requests("GET") != 3 { // one of each client, before the load
			t.Errorf("%s: %d GETs", model, server.Requests("GET"))
		}
	}
}

func TestAnOpenLoopCountsFromWhenARequestWasDue(t *testing.T) {
	order := small(t, fake.Start(t, "a"))
	order.Model, order.Rate = "open", 100
	_, rows := ran(t, order)
	if rows[10][2] != "100000" {
		t.Errorf("the 11th of 100 a second was due at %s us", rows[10][2])
	}
}

func TestAnswersThatAreNoSuccessAreCountedByClassAndTheFirstIsKept(t *testing.T) {
	server := fake.Start(t, "a")
	order := small(t, server)
	server.Answer("POST "+order.Path, 403, 500, 429)
	result, rows := ran(t, order)
	want := map[cluster.Outcome]int64{cluster.Refused: 1, cluster.Server: 1, cluster.Throttled: 1}
	if !maps.Equal(result.Errors, want) || result.Done != 17 || result.Why == "" {
		t.Errorf("%v, %d done, %q", result.Errors, result.Done, result.Why)
	}
	refused := slices.IndexFunc(rows, func(row []string) bool { return row[5] == "403" && row[6] == "refused" })
	if refused < 0 {
		t.Error("no row of the request that was refused")
	}
}

func TestAServerThatIsNotReadyEndsIt(t *testing.T) {
	server := fake.Start(t, "a")
	order := small(t, server)
	server.Answer("GET /readyz", 500)
	err := Run(context.Background(), order, lines.NewWriter(&bytes.Buffer{}))
	if err == nil || errors.Is(err, lines.ErrOrder) || server.Requests("POST") != 0 {
		t.Errorf("%v, %d requests", err, server.Requests("POST"))
	}
}

func TestAWrongOrderNamesTheField(t *testing.T) {
	good := small(t, fake.Start(t, "a"))
	for name, change := range map[string]func(*Order){
		"path":    func(o *Order) { o.Path = "api" },
		"body":    func(o *Order) { o.Body = "{}" },
		"model":   func(o *Order) { o.Model = "half" },
		"clients": func(o *Order) { o.Clients = 0 },
		"rate":    func(o *Order) { o.Rate = 5 },
		"timeout": func(o *Order) { o.Timeout = 0 },
		"raw":     func(o *Order) { o.Raw = "" },
		"cluster": func(o *Order) { o.Cluster.CA = "" },
	} {
		order := good
		change(&order)
		if err := order.Validate(); err == nil || !bytes.Contains([]byte(err.Error()), []byte(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
