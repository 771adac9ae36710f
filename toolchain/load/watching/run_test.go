package watching_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/lines"
	"fleet.example/toolchain/load/streaming"
	"fleet.example/toolchain/load/watching"
)

// server is one that only streams, until the test ends.
func server(t *testing.T) cluster.Cluster {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- streaming.Run(ctx, streaming.Order{Folder: t.TempDir(), Bytes: 500}, lines.NewWriter(writer))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var told streaming.Listening
	if err := json.NewDecoder(reader).Decode(&told); err != nil {
		t.Fatal(err)
	}
	return cluster.Cluster{Name: "stream", Server: told.Server, CA: told.CA, TokenFile: told.Token}
}

func small(t *testing.T) watching.Order {
	t.Helper()
	order := watching.Order{
		Cluster: server(t), Path: "/api/v1/pods", Selectors: []string{""}, Protocol: watching.HTTP2, PerConnection: 4, Rate: 40,
		Watches: []int{3, 10}, Settle: 0.05, Seconds: 0.5, Late: 5, Grace: 10, Opening: 4, Timeout: 30,
	}
	for i := range 4 {
		order.Objects = append(order.Objects, watching.Object{Path: fmt.Sprintf("/api/v1/pods/w%d", i)})
	}
	return order
}

func steps(t *testing.T, order watching.Order) []watching.Step {
	t.Helper()
	if err := order.Validate(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := watching.Run(context.Background(), order, lines.NewWriter(&out)); err != nil {
		t.Fatal(err)
	}
	var found []watching.Step
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var step watching.Step
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Fatal(err)
		}
		if step.Event == "step" {
			found = append(found, step)
		}
	}
	return found
}

func TestEveryWatchGetsEveryChange(t *testing.T) {
	for _, protocol := range []string{watching.HTTP1, watching.HTTP2} {
		order := small(t)
		order.Protocol = protocol
		connections := []int64{1, 3}
		if protocol == watching.HTTP1 {
			order.PerConnection, connections = 1, []int64{3, 10}
		}
		found := steps(t, order)
		if len(found) != 2 {
			t.Fatalf("%s: %d steps", protocol, len(found))
		}
		for i, step := range found {
			want := int64(order.Watches[i]) * step.Changes
			if step.Changes == 0 || step.Received != want || step.Expected != want || step.Limit != "" || step.P99 == nil {
				t.Errorf("%s: %+v", protocol, step)
			}
			if step.Spread.Count != want || step.Spread.Max > step.Delivery.Max {
				t.Errorf("%s: spread %+v, delivery %+v", protocol, step.Spread, step.Delivery)
			}
			if step.Connections != connections[i] || step.Bytes < 500*step.Received {
				t.Errorf("%s: %d connections, %d bytes", protocol, step.Connections, step.Bytes)
			}
		}
	}
}

func TestAWatchGetsWhatItSelects(t *testing.T) {
	order := small(t)
	order.Watches = []int{8}
	order.Selectors = nil
	for i := range order.Objects {
		order.Selectors = append(order.Selectors, fmt.Sprintf("metadata.name=w%d", i))
		order.Objects[i].Group = i
	}
	step := steps(t, order)[0]
	if step.Expected != 2*step.Changes || step.Received != step.Expected {
		t.Errorf("two watches of each object: %+v", step)
	}
}

func TestALimitEndsTheSeries(t *testing.T) {
	order := small(t)
	order.Late = 1e-6
	found := steps(t, order)
	if len(found) != 1 || found[0].Limit != "late" || found[0].Late != found[0].Received {
		t.Errorf("%+v", found)
	}
	order = small(t)
	order.Cluster.TokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(order.Cluster.TokenFile, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := watching.Run(context.Background(), order, lines.NewWriter(&out))
	if err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without rights: %v", err)
	}
}

func TestABadOrderIsNamed(t *testing.T) {
	for says, change := range map[string]func(*watching.Order){
		"per_connection": func(o *watching.Order) { o.Protocol = watching.HTTP1 },
		"protocol":       func(o *watching.Order) { o.Protocol = "spdy" },
		"watches":        func(o *watching.Order) { o.Watches = []int{4, 2} },
		"no selector 3":  func(o *watching.Order) { o.Objects[0].Group = 3 },
		"grace":          func(o *watching.Order) { o.Grace = 1 },
	} {
		order := small(t)
		change(&order)
		if err := order.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
