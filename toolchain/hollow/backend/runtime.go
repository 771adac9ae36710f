// Package backend is what a hollow node's kubelet drives instead of containers and a machine.
//
// Containers run by being written down. They log a line, answer exec, and end when their pod's annotations say so.
package backend

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	apitest "k8s.io/cri-api/pkg/apis/testing"
)

// Annotations of a pod; kwok's stages of this testbed read the first two as well.
const (
	Lifetime = "fleet-testbed/lifetime"  // Go duration from a container's start to its end; without it, it runs on
	ExitCode = "fleet-testbed/exit-code" // of a container that ends by itself; 0 without it
	CPU      = "fleet-testbed/cpu"       // cores that each container is reported to use, a quantity
	Memory   = "fleet-testbed/memory"    // bytes that each container is reported to use, a quantity
)

// JobLabel is on the pods of Jobs. Without a lifetime they end at once, as under kwok.
const JobLabel = "batch.kubernetes.io/job-name"

const (
	addresses = 254 // of a /24
	forget    = time.Minute
)

// Runtime is a node's container runtime: upstream's fake, and what that leaves out.
type Runtime struct {
	*apitest.FakeRuntimeService
	Images *apitest.FakeImageService

	node      int
	streaming *Streaming

	mutex sync.Mutex // taken before the fake's own lock
	logs  map[string]string
	inits map[string]struct{} // pod's uid and container's name
	spent float64             // core seconds of containers, up to `seen`
	seen  time.Time
}

// NewRuntime is the runtime of the node of that number; `streaming` serves exec for it.
func NewRuntime(node int, streaming *Streaming) *Runtime {
	r := &Runtime{
		FakeRuntimeService: apitest.NewFakeRuntimeService(),
		Images:             apitest.NewFakeImageService(),
		node:               node,
		streaming:          streaming,
		logs:               map[string]string{},
		inits:              map[string]struct{}{},
		seen:               time.Now(),
	}
	r.FakeStatus = &cri.RuntimeStatus{Conditions: []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true}, {Type: cri.NetworkReady, Status: true},
	}}
	usage := []*cri.FilesystemUsage{{
		FsId:       &cri.FilesystemIdentifier{Mountpoint: "/"},
		UsedBytes:  &cri.UInt64Value{Value: 1 << 30},
		InodesUsed: &cri.UInt64Value{Value: 1 << 16},
	}}
	r.Images.SetFakeFilesystemUsage(usage)
	r.Images.SetFakeContainerFilesystemUsage(usage)
	return r
}

// Forget the names of past calls, which upstream's fakes keep forever, each minute until the context ends.
func (r *Runtime) Forget(ctx context.Context) {
	ticker := time.NewTicker(forget)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		r.Lock()
		r.Called = nil
		r.Unlock()
		r.Images.Lock()
		r.Images.Called = nil
		r.Images.Unlock()
	}
}

// Pods is how many sandboxes are ready.
func (r *Runtime) Pods() int {
	r.Lock()
	defer r.Unlock()
	ready := 0
	for _, sandbox := range r.Sandboxes {
		if sandbox.State == cri.PodSandboxState_SANDBOX_READY {
			ready++
		}
	}
	return ready
}

// Init says that a container of a pod runs before the others: it has to end by itself.
func (r *Runtime) Init(uid, container string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.inits[uid+"/"+container] = struct{}{}
}

// RunPodSandbox gives each pod an address of its own, and a folder for its logs.
func (r *Runtime) RunPodSandbox(ctx context.Context, config *cri.PodSandboxConfig, handler string) (string, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	id, err := r.FakeRuntimeService.RunPodSandbox(ctx, config, handler)
	if err != nil {
		return "", err
	}
	r.Lock()
	address, err := r.address(id)
	if err == nil {
		r.Sandboxes[id].Network.Ip = address
	} else {
		delete(r.Sandboxes, id)
	}
	r.Unlock()
	if err != nil {
		return "", err
	}
	r.logs[id] = config.LogDirectory
	return id, os.MkdirAll(config.LogDirectory, 0o700)
}

// address is the lowest of the node's that no other sandbox has; the fake's lock is held.
func (r *Runtime) address(id string) (string, error) {
	taken := map[string]bool{}
	for other, sandbox := range r.Sandboxes {
		if other != id {
			taken[sandbox.Network.Ip] = true
		}
	}
	for host := 1; host <= addresses; host++ {
		address := fmt.Sprintf("10.%d.%d.%d", 128+r.node/256, r.node%256, host)
		if !taken[address] {
			return address, nil
		}
	}
	return "", fmt.Errorf("all %d addresses of node %d are taken", addresses, r.node)
}

// RemovePodSandbox removes its logs too.
func (r *Runtime) RemovePodSandbox(ctx context.Context, id string) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.Lock()
	if sandbox := r.Sandboxes[id]; sandbox != nil {
		for key := range r.inits {
			if strings.HasPrefix(key, sandbox.Metadata.Uid+"/") {
				delete(r.inits, key)
			}
		}
	}
	r.Unlock()
	if err := r.FakeRuntimeService.RemovePodSandbox(ctx, id); err != nil {
		return err
	}
	folder := r.logs[id]
	delete(r.logs, id)
	if folder == "" {
		return nil
	}
	return os.RemoveAll(folder)
}

// CreateContainer records where the container logs.
func (r *Runtime) CreateContainer(ctx context.Context, sandbox string, config *cri.ContainerConfig, pod *cri.PodSandboxConfig) (string, error) {
	id, err := r.FakeRuntimeService.CreateContainer(ctx, sandbox, config, pod)
	if err != nil {
		return "", err
	}
	r.Lock()
	defer r.Unlock()
	if container := r.Containers[id]; container != nil {
		container.LogPath = filepath.Join(pod.LogDirectory, config.LogPath)
	}
	return id, nil
}

// StartContainer writes the log, and ends the container when its pod's annotations say.
func (r *Runtime) StartContainer(ctx context.Context, id string) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.spend(time.Now())
	if err := r.FakeRuntimeService.StartContainer(ctx, id); err != nil {
		return err
	}
	r.Lock()
	container := r.Containers[id]
	sandbox := r.Sandboxes[container.SandboxID]
	path, name := container.LogPath, container.Metadata.Name
	r.Unlock()
	if sandbox == nil {
		return fmt.Errorf("container %s has no sandbox", id)
	}
	text := fmt.Sprintf("container %s of pod %s/%s runs on a hollow node", name, sandbox.Metadata.Namespace, sandbox.Metadata.Name)
	if err := write(path, text); err != nil {
		return err
	}
	if _, early := r.inits[sandbox.Metadata.Uid+"/"+name]; early {
		r.end(id, 0)
		return nil
	}
	life, code, ends := end(sandbox.Labels, sandbox.Annotations)
	if ends {
		time.AfterFunc(life, func() {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			r.end(id, code)
		})
	}
	return nil
}

// end says how long after its start a container ends, and how; false for one that runs on.
func end(labels, annotations map[string]string) (time.Duration, int32, bool) {
	life, err := time.ParseDuration(annotations[Lifetime])
	if err != nil || life < 0 {
		if _, job := labels[JobLabel]; !job {
			return 0, 0, false
		}
		life = 0
	}
	code, err := strconv.ParseUint(annotations[ExitCode], 10, 8)
	if err != nil {
		code = 0
	}
	return life, int32(code), true
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	line := fmt.Sprintf("%s stdout F %s\n", time.Now().Format(time.RFC3339Nano), text)
	return os.WriteFile(path, []byte(line), 0o600)
}

// end a container that runs by itself; r.mutex is held.
func (r *Runtime) end(id string, code int32) {
	r.spend(time.Now())
	r.Lock()
	defer r.Unlock()
	container := r.Containers[id]
	if container == nil || container.State != cri.ContainerState_CONTAINER_RUNNING {
		return
	}
	container.State = cri.ContainerState_CONTAINER_EXITED
	container.FinishedAt = time.Now().UnixNano()
	container.ExitCode = code
	container.Reason = "Completed"
	if code != 0 {
		container.Reason = "Error"
	}
}

// StopContainer leaves one that has ended as it ended.
func (r *Runtime) StopContainer(ctx context.Context, id string, timeout int64) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.spend(time.Now())
	r.Lock()
	container := r.Containers[id]
	ended := container != nil && container.State == cri.ContainerState_CONTAINER_EXITED
	r.Unlock()
	if ended {
		return nil
	}
	return r.FakeRuntimeService.StopContainer(ctx, id, timeout)
}

// Exec says where the kubelet finds the stream.
func (r *Runtime) Exec(_ context.Context, request *cri.ExecRequest) (*cri.ExecResponse, error) {
	return r.streaming.GetExec(request)
}

// Attach says where the kubelet finds the stream.
func (r *Runtime) Attach(_ context.Context, request *cri.AttachRequest) (*cri.AttachResponse, error) {
	return r.streaming.GetAttach(request)
}

// PortForward says where the kubelet finds the stream.
func (r *Runtime) PortForward(_ context.Context, request *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	return r.streaming.GetPortForward(request)
}

// ExecSync answers at once; probes by exec succeed.
func (r *Runtime) ExecSync(_ context.Context, id string, command []string, _ time.Duration) ([]byte, []byte, error) {
	return []byte(said(id, command)), nil, nil
}
