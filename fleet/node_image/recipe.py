"""What goes into a node image, and the digest that names it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain import Toolchain

FORMAT = 1
"""1: first recipe."""
SUITE = "bookworm"
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus"),
    *("containerd", "runc", "containernetworking-plugins"),
    *("iptables", "iproute2", "conntrack", "ethtool", "socat", "kmod"),
    *("procps", "mount", "util-linux", "hostname"),
)
"""Of Debian: the init system, the container runtime, and what kubelet and kind call."""
KUBERNETES = "v1.34.4"
ETCD_TAG, PAUSE_TAG = "3.6.5-0", "3.10.1"
"""What kubeadm v1.34.4 requires (cmd/kubeadm/app/constants: DefaultEtcdVersion, PauseVersion)."""
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
"""One file of our toolchain, called by four names."""
NODE = ("kubelet", "kubeadm", "kubectl")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in an image."""

    rootfs: Path
    """Files that are copied over Debian's."""
    control_plane: Toolchain
    node: Toolchain
    architecture: str

    @classmethod
    def of(cls, source: Path, control_plane: Toolchain, node: Toolchain) -> Recipe:
        """The recipe of the folder `node_image/`; ToolchainError when the programs do not fit together."""
        for name in (*CONTROL_PLANE[:3],):
            found = control_plane.versions.get(name)
            if found not in (KUBERNETES, "supplied"):
                raise ToolchainError(f"{name} is {found}, the node image needs {KUBERNETES}")
        machine = platform.machine()
        return cls(source / "rootfs", control_plane, node, ARCHITECTURES.get(machine, machine))

    @property
    def base_digest(self) -> str:
        """16 hex digits over what comes from Debian; its packages' versions are those of the day it was made."""
        return hashlib.sha256(f"{FORMAT} {SUITE} {self.architecture} {' '.join(PACKAGES)}".encode()).hexdigest()[:16]

    @property
    def digest(self) -> str:
        """16 hex digits over everything."""
        found = hashlib.sha256(f"{self.base_digest} {KUBERNETES} {ETCD_TAG} {PAUSE_TAG}\n".encode())
        programs = [self.control_plane.program(name) for name in CONTROL_PLANE]
        programs += [self.node.program(name) for name in (*NODE, "pause")]
        for path in {program.stat().st_ino: program for program in programs}.values():
            found.update(f"{sha256_of(path)}\n".encode())
        for path in sorted(path for path in self.rootfs.rglob("*") if path.is_file()):
            mode = path.stat().st_mode & 0o111
            found.update(f"{path.relative_to(self.rootfs)} {mode:o} {sha256_of(path)}\n".encode())
        return found.hexdigest()[:16]

    @property
    def images(self) -> dict[str, tuple[str, ...]]:
        """The images inside the node: the programs in each, by its names."""
        registry = "registry.k8s.io"
        control = tuple(f"{registry}/{name}:{KUBERNETES}" for name in CONTROL_PLANE[:3])
        return {"control-plane": (*control, f"{registry}/etcd:{ETCD_TAG}"), "pause": (f"{registry}/pause:{PAUSE_TAG}",)}
