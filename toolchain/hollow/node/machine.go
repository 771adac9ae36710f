package node

import (
	"os"

	"k8s.io/kubernetes/pkg/kubelet/cm"
	containertest "k8s.io/kubernetes/pkg/kubelet/container/testing"

	"fleet.example/toolchain/hollow/backend"
)

// groups is upstream's stub of a container manager, which also knows the control group of all pods.
type groups struct{ cm.ContainerManager }

func (groups) GetPodCgroupRoot() string { return backend.PodsGroup }

// files is upstream's fake of the machine's files, which looks at those of logs, and does not remember forever what it
// made and removed.
type files struct{ containertest.FakeOS }

func (*files) Stat(path string) (os.FileInfo, error) { return os.Stat(path) }
func (*files) Create(string) (*os.File, error)       { return nil, nil }
func (*files) Remove(string) error                   { return nil }
func (*files) RemoveAll(string) error                { return nil }
