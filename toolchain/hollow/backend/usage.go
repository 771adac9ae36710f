package backend

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	apitest "k8s.io/cri-api/pkg/apis/testing"
)

// What a container is reported to use where its pod does not say: cores and bytes.
const (
	defaultCPU    = 0.05
	defaultMemory = 16 << 20
)

// ContainerStats are of one container.
func (r *Runtime) ContainerStats(_ context.Context, id string) (*cri.ContainerStats, error) {
	r.Lock()
	defer r.Unlock()
	container := r.Containers[id]
	if container == nil {
		return nil, fmt.Errorf("container %q not found", id)
	}
	return r.stats(container, time.Now()), nil
}

// ListContainerStats are of all containers that run.
func (r *Runtime) ListContainerStats(context.Context, *cri.ContainerStatsFilter) ([]*cri.ContainerStats, error) {
	r.Lock()
	defer r.Unlock()
	now := time.Now()
	var all []*cri.ContainerStats
	for _, container := range r.Containers {
		if container.State == cri.ContainerState_CONTAINER_RUNNING {
			all = append(all, r.stats(container, now))
		}
	}
	return all, nil
}

func (r *Runtime) stats(container *apitest.FakeContainer, now time.Time) *cri.ContainerStats {
	cores, memory := r.usage(container)
	stamp, age := now.UnixNano(), now.UnixNano()-container.StartedAt
	return &cri.ContainerStats{
		Attributes: &cri.ContainerAttributes{
			Id: container.Id, Metadata: container.Metadata, Labels: container.Labels, Annotations: container.Annotations,
		},
		Cpu:    &cri.CpuUsage{Timestamp: stamp, UsageCoreNanoSeconds: &cri.UInt64Value{Value: uint64(float64(age) * cores)}},
		Memory: &cri.MemoryUsage{Timestamp: stamp, WorkingSetBytes: &cri.UInt64Value{Value: memory}},
		WritableLayer: &cri.FilesystemUsage{
			Timestamp: stamp, FsId: &cri.FilesystemIdentifier{Mountpoint: "/"}, UsedBytes: &cri.UInt64Value{Value: 1 << 20},
			InodesUsed: &cri.UInt64Value{Value: 16},
		},
	}
}

// usage is what a container is reported to use: cores and bytes. The fake's lock is held.
func (r *Runtime) usage(container *apitest.FakeContainer) (float64, uint64) {
	cores, memory := defaultCPU, uint64(defaultMemory)
	sandbox := r.Sandboxes[container.SandboxID]
	if sandbox == nil {
		return cores, memory
	}
	if found, err := resource.ParseQuantity(sandbox.Annotations[CPU]); err == nil && found.Sign() >= 0 {
		cores = found.AsApproximateFloat64()
	}
	if found, err := resource.ParseQuantity(sandbox.Annotations[Memory]); err == nil && found.Sign() >= 0 {
		memory = uint64(found.Value())
	}
	return cores, memory
}

// Usage of all containers: core seconds since the start, cores now, bytes now.
func (r *Runtime) Usage(now time.Time) (spent, cores float64, memory uint64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	cores, memory = r.spend(now)
	return r.spent, cores, memory
}

// spend adds what was used since the last time; called before each change of what runs. r.mutex is held.
func (r *Runtime) spend(now time.Time) (cores float64, memory uint64) {
	r.Lock()
	defer r.Unlock()
	for _, container := range r.Containers {
		if container.State == cri.ContainerState_CONTAINER_RUNNING {
			some, bytes := r.usage(container)
			cores, memory = cores+some, memory+bytes
		}
	}
	r.spent += cores * now.Sub(r.seen).Seconds()
	r.seen = now
	return cores, memory
}
