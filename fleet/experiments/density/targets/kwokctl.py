"""The reference: `kwokctl create cluster --runtime binary` with the toolchain's own programs; nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleet.errors import HostError
from fleet.experiments.density.targets.place import machine_of, ports_taken
from fleet.experiments.density.targets.target import Access, Ground, Running, names
from fleet.host.daemon import KILL_GRACE, kill
from fleet.host.files import private_directory, remove_tree
from fleet.host.limits import GIB, RESERVE, measure_room
from fleet.host.pages import Pages
from fleet.host.weight import MIB
from fleet.install.control_planes import teardown
from fleet.model.fleet_file import ClientTls

CREATE_SECONDS = 180
MEMORY = 285 * MIB
"""Of one cluster, measured on 2 cores (docs/how-to/density.md)."""
PARTS = 4
"""Ports of etcd, controller manager, scheduler and kwok; that of etcd's peers kwokctl finds itself."""
# kwokctl listens on every address by default; everything here stays on loopback.
CONFIG = """\
kind: KwokctlConfiguration
apiVersion: config.kwok.x-k8s.io/v1alpha1
options:
  bindAddress: 127.0.0.1
"""
NEEDS = ("simulator:kwok",)
"""Of the toolchain."""
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass
class Kwokctl:
    """Clusters made one after another, as its users make them."""

    ground: Ground
    name: str = "kwokctl"
    main: str = "kube-apiserver"

    @property
    def differs(self) -> str:
        """See `Target`."""
        return ""

    def refuse(self, most: int) -> list[str]:
        """See `Target`."""
        root = self.ground.root.parent
        room = measure_room(root)
        found = ports_taken(self.ground.spec.first_port, most, root)
        if most * MEMORY + RESERVE > room.memory:
            found.append(
                f"memory for {most} kwokctl clusters: {(most * MEMORY + RESERVE) / GIB:.1f} GiB needed, "
                f"{room.memory / GIB:.1f} GiB available: lower clusters to "
                f"{max(0, (room.memory - RESERVE) // MEMORY)}"
            )
        return found

    def launch(self, count: int) -> None:  # noqa: ARG002 - kwokctl has nothing that runs before the first cluster
        """See `Target`."""
        self.down()
        private_directory(self.ground.root)
        (self.ground.root / "config.yaml").write_text(CONFIG, encoding="utf-8")

    def create(self, count: int) -> list[Access]:
        """See `Target`."""
        return [self._create(name, number) for number, name in enumerate(names(count))]

    def running(self) -> list[Running]:
        """From kwokctl's own pid files."""
        found = []
        for file in sorted(self._clusters.glob("*/pids/*.pid")):
            component = "kwok" if file.stem == "kwok-controller" else file.stem
            name = file.parent.parent.name
            try:
                pid = int(file.read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue  # it is being written or removed
            found.append(Running(f"{component}.{name}", component, pid, self._pages(component, name)))
        return found

    def down(self) -> None:
        """Ends the clusters by what runs from this folder: kwokctl itself cannot delete one that was half made."""
        ours = []
        for process in psutil.process_iter():
            try:
                if any(str(self._clusters) in word for word in process.cmdline()):
                    ours.append(process)
            except psutil.Error:
                continue
        kill(ours, grace=KILL_GRACE)
        teardown(machine_of(self.ground))
        remove_tree(self.ground.root)

    @property
    def _clusters(self) -> Path:
        return self.ground.root / "work" / "clusters"

    def _create(self, name: str, number: int) -> Access:
        spec, machine, program = self.ground.spec, machine_of(self.ground), self.ground.toolchain.program
        first = spec.first_port + number if spec.first_port else 0
        api = machine.take(name, 1, in_use=False, start=first).start
        block = machine.take(f"{name}.parts", PARTS, in_use=False)
        arguments = [
            f"--config={self.ground.root / 'config.yaml'}",
            "--runtime=binary",
            f"--wait={CREATE_SECONDS}s",
            *(f"--{binary}-binary={program(binary)}" for binary in BINARIES),
            f"--kwok-controller-binary={program('kwok')}",
            f"--kube-apiserver-port={api}",
            f"--etcd-port={block.port(0)}",
            f"--kube-controller-manager-port={block.port(1)}",
            f"--kube-scheduler-port={block.port(2)}",
            f"--controller-port={block.port(3)}",
        ]
        if spec.plane == "apiserver":
            arguments.append("--disable=kube-controller-manager,kube-scheduler,kwok-controller")
        done = subprocess.run(
            [
                str(program("kwokctl")), "create", "cluster", "--name", name,
                "--kubeconfig", str(self.ground.root / "kubeconfig"), *arguments,
            ],
            env=os.environ | {"KWOK_WORKDIR": str(self.ground.root / "work")},
            capture_output=True, text=True, check=False, timeout=2 * CREATE_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise HostError(f"kwokctl did not create {name}:\n{done.stderr[-2000:]}")
        pki = self._clusters / name / "pki"
        return Access(name, f"https://127.0.0.1:{api}", pki / "ca.crt", pki / "admin.crt", pki / "admin.key")

    def _pages(self, component: str, name: str) -> Pages:
        block = machine_of(self.ground).registry.find(self.ground.root.name, name)
        if component != "kube-apiserver" or block is None:
            return Pages()
        pki = self._clusters / name / "pki"
        tls = ClientTls(ca=str(pki / "ca.crt"), cert=str(pki / "admin.crt"), key=str(pki / "admin.key"))
        base = f"https://127.0.0.1:{block.start}"
        return Pages(f"{base}/metrics", f"{base}/debug/pprof", tls)
