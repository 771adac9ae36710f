package backend

import (
	"context"
	"time"

	cadvisor "github.com/google/cadvisor/info/v1"
	cadvisorv2 "github.com/google/cadvisor/info/v2"
	"golang.org/x/sys/unix"
)

// PodsGroup is the control group of all pods; by its usage a kubelet knows when it has to evict some.
const PodsGroup = "/kubepods"

const (
	idleCPU    = 0.02    // cores that a node's own programs are reported to use
	idleMemory = 1 << 30 // bytes of the same
	gigabyte   = 1 << 30
)

// Machine is what cadvisor says of a node: a machine of the given size that uses what its containers use, and a little.
type Machine struct {
	name    string
	cores   int
	memory  uint64
	started time.Time
	runtime *Runtime
}

// NewMachine has that many cores and bytes.
func NewMachine(name string, cores int, memory uint64, runtime *Runtime) *Machine {
	return &Machine{name, cores, memory, time.Now(), runtime}
}

// Start has nothing to do.
func (m *Machine) Start() error { return nil }

// MachineInfo is its size; each node has an id of its own.
func (m *Machine) MachineInfo() (*cadvisor.MachineInfo, error) {
	return &cadvisor.MachineInfo{
		NumCores: m.cores, MemoryCapacity: m.memory, InstanceID: cadvisor.InstanceID(m.name),
		MachineID: m.name, SystemUUID: m.name, BootID: m.name + "-" + m.started.UTC().Format(time.RFC3339),
	}, nil
}

// VersionInfo is the kernel of this machine.
func (m *Machine) VersionInfo() (*cadvisor.VersionInfo, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	return &cadvisor.VersionInfo{KernelVersion: unix.ByteSliceToString(name.Release[:]), ContainerOsVersion: "hollow node"}, nil
}

// ContainerInfoV2 is of one control group: that of all pods, or another, whose usage is the whole machine's.
func (m *Machine) ContainerInfoV2(name string, _ cadvisorv2.RequestOptions) (map[string]cadvisorv2.ContainerInfo, error) {
	now := time.Now()
	spent, cores, memory := m.runtime.Usage(now)
	if name != PodsGroup {
		spent += idleCPU * now.Sub(m.started).Seconds()
		cores, memory = cores+idleCPU, memory+idleMemory
	}
	group := cadvisorv2.ContainerInfo{
		Spec: cadvisorv2.ContainerSpec{
			CreationTime: m.started, HasCpu: true, HasMemory: true, Memory: cadvisorv2.MemorySpec{Limit: m.memory},
		},
		Stats: []*cadvisorv2.ContainerStats{{
			Timestamp: now,
			Cpu:       &cadvisor.CpuStats{Usage: cadvisor.CpuUsage{Total: uint64(spent * 1e9)}},
			CpuInst:   &cadvisorv2.CpuInstStats{Usage: cadvisorv2.CpuInstUsage{Total: uint64(cores * 1e9)}},
			Memory:    &cadvisor.MemoryStats{Usage: memory, WorkingSet: memory, RSS: memory},
		}},
	}
	return map[string]cadvisorv2.ContainerInfo{name: group}, nil
}

// GetRequestedContainersInfo knows none.
func (m *Machine) GetRequestedContainersInfo(string, cadvisorv2.RequestOptions) (map[string]*cadvisor.ContainerInfo, error) {
	return map[string]*cadvisor.ContainerInfo{}, nil
}

// ImagesFsInfo is of a disk of 100 GiB that is a fifth full, as are the next three.
func (m *Machine) ImagesFsInfo(context.Context) (cadvisorv2.FsInfo, error) { return disk(), nil }

// RootFsInfo is of the same.
func (m *Machine) RootFsInfo() (cadvisorv2.FsInfo, error) { return disk(), nil }

// ContainerFsInfo is of the same.
func (m *Machine) ContainerFsInfo(context.Context) (cadvisorv2.FsInfo, error) { return disk(), nil }

// GetDirFsInfo is of the same.
func (m *Machine) GetDirFsInfo(string) (cadvisorv2.FsInfo, error) { return disk(), nil }

func disk() cadvisorv2.FsInfo {
	inodes, free := uint64(1<<22), uint64(1<<21)
	return cadvisorv2.FsInfo{
		Timestamp: time.Now(), Device: "/dev/hollow", Mountpoint: "/", Capacity: 100 * gigabyte, Available: 80 * gigabyte,
		Usage: 20 * gigabyte, Inodes: &inodes, InodesFree: &free,
	}
}
