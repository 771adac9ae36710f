package backend

import (
	"context"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cadvisorv2 "github.com/google/cadvisor/info/v2"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var ctx = context.Background()

func sandbox(t *testing.T, r *Runtime, name string, labels, annotations map[string]string) (string, *cri.PodSandboxConfig) {
	t.Helper()
	config := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: "default", Uid: "uid-" + name},
		LogDirectory: filepath.Join(t.TempDir(), name),
		Labels:       labels, Annotations: annotations,
	}
	id, err := r.RunPodSandbox(ctx, config, "")
	if err != nil {
		t.Fatal(err)
	}
	return id, config
}

func container(t *testing.T, r *Runtime, sandbox, name string, pod *cri.PodSandboxConfig) string {
	t.Helper()
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: name}, Image: &cri.ImageSpec{Image: "none"}, LogPath: name + "/0.log",
	}
	id, err := r.CreateContainer(ctx, sandbox, config, pod)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.StartContainer(ctx, id); err != nil {
		t.Fatal(err)
	}
	return id
}

func status(t *testing.T, r *Runtime, id string) *cri.ContainerStatus {
	t.Helper()
	found, err := r.ContainerStatus(ctx, id, false)
	if err != nil {
		t.Fatal(err)
	}
	return found.Status
}

// ended waits until a container has ended.
func ended(t *testing.T, r *Runtime, id string) *cri.ContainerStatus {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if found := status(t, r, id); found.State == cri.ContainerState_CONTAINER_EXITED {
			return found
		}
	}
	t.Fatalf("%s has not ended", id)
	return nil
}

func TestPodsHaveAddressesOfTheirOwn(t *testing.T) {
	r := NewRuntime(300, nil)
	first, _ := sandbox(t, r, "a", nil, nil)
	second, _ := sandbox(t, r, "b", nil, nil)
	if a, b := r.Sandboxes[first].Network.Ip, r.Sandboxes[second].Network.Ip; a != "10.129.44.1" || b != "10.129.44.2" {
		t.Errorf("%s and %s", a, b)
	}
	if err := r.RemovePodSandbox(ctx, first); err != nil {
		t.Fatal(err)
	}
	third, _ := sandbox(t, r, "c", nil, nil)
	if c := r.Sandboxes[third].Network.Ip; c != "10.129.44.1" {
		t.Errorf("the address that is free again is %s", c)
	}
}

func TestANodeWithoutAFreeAddressStartsNoPod(t *testing.T) {
	r := NewRuntime(1, nil)
	for i := range addresses {
		sandbox(t, r, strings.Repeat("x", i+1), nil, nil)
	}
	config := &cri.PodSandboxConfig{Metadata: &cri.PodSandboxMetadata{Name: "late"}, LogDirectory: t.TempDir()}
	if _, err := r.RunPodSandbox(ctx, config, ""); err == nil {
		t.Error("it has one")
	}
	if r.Pods() != addresses {
		t.Errorf("%d pods", r.Pods())
	}
}

func TestAContainerEndsWhenItsPodSays(t *testing.T) {
	r := NewRuntime(1, nil)
	id, pod := sandbox(t, r, "a", nil, map[string]string{Lifetime: "20ms", ExitCode: "3"})
	found := ended(t, r, container(t, r, id, "main", pod))
	if found.ExitCode != 3 || found.Reason != "Error" {
		t.Errorf("exit code %d, %s", found.ExitCode, found.Reason)
	}
	if life := time.Duration(found.FinishedAt - found.StartedAt); life < 20*time.Millisecond {
		t.Errorf("it lived %v", life)
	}
}

func TestHowContainersEnd(t *testing.T) {
	job := map[string]string{JobLabel: "j"}
	for name, want := range map[string]struct {
		labels, annotations map[string]string
		life                time.Duration
		code                int32
		ends                bool
	}{
		"a server":           {nil, nil, 0, 0, false},
		"a job":              {job, nil, 0, 0, true},
		"a job with a life":  {job, map[string]string{Lifetime: "90s"}, 90 * time.Second, 0, true},
		"no duration":        {nil, map[string]string{Lifetime: "long"}, 0, 0, false},
		"a negative one":     {nil, map[string]string{Lifetime: "-1s"}, 0, 0, false},
		"a code":             {nil, map[string]string{Lifetime: "1s", ExitCode: "255"}, time.Second, 255, true},
		"no code":            {nil, map[string]string{Lifetime: "1s", ExitCode: "256"}, time.Second, 0, true},
		"a code and no life": {nil, map[string]string{ExitCode: "3"}, 0, 0, false},
	} {
		life, code, ends := end(want.labels, want.annotations)
		if life != want.life || code != want.code || ends != want.ends {
			t.Errorf("%s: %v %d %v", name, life, code, ends)
		}
	}
}

func TestAnInitContainerEndsAtOnce(t *testing.T) {
	r := NewRuntime(1, nil)
	id, pod := sandbox(t, r, "a", nil, nil)
	r.Init("uid-a", "first")
	if found := status(t, r, container(t, r, id, "first", pod)); found.State != cri.ContainerState_CONTAINER_EXITED || found.ExitCode != 0 {
		t.Errorf("%v, %d", found.State, found.ExitCode)
	}
	if found := status(t, r, container(t, r, id, "main", pod)); found.State != cri.ContainerState_CONTAINER_RUNNING {
		t.Errorf("%v", found.State)
	}
	if err := r.RemovePodSandbox(ctx, id); err != nil {
		t.Fatal(err)
	}
	if len(r.inits) != 0 {
		t.Errorf("remembered: %v", r.inits)
	}
}

func TestAStopLeavesOneThatEndedAsItEnded(t *testing.T) {
	r := NewRuntime(1, nil)
	id, pod := sandbox(t, r, "a", nil, map[string]string{Lifetime: "0s", ExitCode: "3"})
	main := container(t, r, id, "main", pod)
	before := ended(t, r, main)
	if err := r.StopContainer(ctx, main, 1); err != nil {
		t.Fatal(err)
	}
	if after := status(t, r, main); after.FinishedAt != before.FinishedAt || after.ExitCode != 3 {
		t.Errorf("%v, then %v", before, after)
	}
}

func TestLogsAreWrittenAndGoWithThePod(t *testing.T) {
	r := NewRuntime(1, nil)
	id, pod := sandbox(t, r, "a", nil, nil)
	found := status(t, r, container(t, r, id, "main", pod))
	text, err := os.ReadFile(found.LogPath)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(text), " stdout F container main of pod default/a runs on a hollow node\n") {
		t.Errorf("%q", text)
	}
	if err := r.RemovePodSandbox(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(pod.LogDirectory); !os.IsNotExist(err) {
		t.Errorf("its logs: %v", err)
	}
}

func TestUsageIsWhatAnnotationsSay(t *testing.T) {
	r := NewRuntime(1, nil)
	r.seen = time.Now().Add(-time.Hour) // nothing ran then
	id, pod := sandbox(t, r, "a", nil, map[string]string{CPU: "250m", Memory: "1Gi"})
	container(t, r, id, "main", pod)
	other, second := sandbox(t, r, "b", nil, nil)
	container(t, r, other, "main", second)
	now := time.Now()
	before, cores, memory := r.Usage(now)
	if math.Abs(cores-0.3) > 1e-9 || memory != 1<<30+defaultMemory {
		t.Errorf("%v cores, %d bytes", cores, memory)
	}
	after, _, _ := r.Usage(now.Add(10 * time.Second))
	if math.Abs(after-before-3) > 1e-6 {
		t.Errorf("%v core seconds in 10 s of 0.3 cores", after-before)
	}
	all, err := r.ListContainerStats(ctx, nil)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	machine := NewMachine("n", 4, 8<<30, r)
	info, err := machine.ContainerInfoV2("/", cadvisorv2.RequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := info["/"].Stats[0].CpuInst.Usage.Total; math.Abs(float64(got)-0.32e9) > 1 {
		t.Errorf("the node uses %d nanocores", got)
	}
	pods, err := machine.ContainerInfoV2(PodsGroup, cadvisorv2.RequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := pods[PodsGroup].Stats[0].Memory.WorkingSet; got != 1<<30+defaultMemory {
		t.Errorf("all pods use %d bytes", got)
	}
}

func TestExecAnswersOverItsStream(t *testing.T) {
	streaming, err := NewStreaming()
	if err != nil {
		t.Fatal(err)
	}
	defer streaming.Close()
	go func() { _ = streaming.Serve() }()
	r := NewRuntime(1, streaming)
	found, err := r.Exec(ctx, &cri.ExecRequest{ContainerId: "c", Cmd: []string{"ls", "-l"}, Stdout: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.Get(found.Url) // without an upgrade it is refused, but by the one who knows the token
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusBadRequest {
		text, _ := io.ReadAll(got.Body)
		t.Errorf("%d %s", got.StatusCode, text)
	}
	out, _, err := r.ExecSync(ctx, "c", []string{"ls", "-l"}, 0)
	if err != nil || string(out) != "hollow container c heard: ls -l\n" {
		t.Errorf("%q, %v", out, err)
	}
}
