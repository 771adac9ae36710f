package bootstrap

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/fake"
	"fleet.example/toolchain/load/lines"
)

func boot(t *testing.T, servers ...*fake.Server) ([]Line, Result) {
	t.Helper()
	order := Order{Workers: 2, Poll: 0.01, NamespacePoll: 0.01, Timeout: 30}
	for _, server := range servers {
		order.Clusters = append(order.Clusters, server.Cluster)
	}
	if err := order.Validate(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(context.Background(), order, lines.NewWriter(&out)); err != nil {
		t.Fatal(err)
	}
	var found []Line
	var result Result
	for text := range bytes.Lines(out.Bytes()) {
		var line Line
		if bytes.Contains(text, []byte(`"event":"result"`)) {
			if err := json.Unmarshal(text, &result); err != nil {
				t.Fatal(err)
			}
		} else if err := json.Unmarshal(text, &line); err != nil {
			t.Fatal(err)
		} else {
			found = append(found, line)
		}
	}
	return found, result
}

func TestEachStepIsSplitIntoServerSleepAndClient(t *testing.T) {
	server := fake.Start(t, "a")
	server.Answer("GET /readyz", 500, 500)
	server.Answer("GET /api/v1/namespaces/default", 404)
	found, result := boot(t, server)
	if len(found) != 1 || found[0].Failed != "" || result.Failed != 0 || result.Event != "result" {
		t.Fatalf("%+v %+v", found, result)
	}
	requests := map[string]int{}
	for _, step := range found[0].Steps {
		requests[step.Name] = step.Requests
		if step.Client() < 0 || step.Server <= 0 {
			t.Errorf("%+v: the client's part is %g", step, step.Client())
		}
		if (step.Sleep > 0) != (step.Requests > 1) {
			t.Errorf("%+v: sleep without a poll, or none with one", step)
		}
	}
	want := map[string]int{"ready": 3, "namespace": 2, "crd": 1, "established": 1, "discovery": 1}
	for name, count := range want {
		if requests[name] != count {
			t.Errorf("%s: %d requests, want %d", name, requests[name], count)
		}
	}
}

func TestADefinitionThatIsThereAlreadyWillDo(t *testing.T) {
	server := fake.Start(t, "a")
	server.Answer("POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions", 409)
	if found, _ := boot(t, server); found[0].Failed != "" {
		t.Errorf("%+v", found[0])
	}
}

func TestAFailureNamesItsStepAndTheOthersGoOn(t *testing.T) {
	bad, good := fake.Start(t, "a"), fake.Start(t, "b")
	bad.Answer("POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions", 403)
	found, result := boot(t, bad, good)
	if result.Failed != 1 || len(found) != 2 {
		t.Fatalf("%+v", result)
	}
	for _, line := range found {
		if line.Cluster == "a" && (line.Failed != "crd" || line.Outcome != cluster.Refused || line.Status != 403) {
			t.Errorf("%+v", line)
		}
		if line.Cluster == "b" && line.Failed != "" {
			t.Errorf("%+v", line)
		}
	}
}
