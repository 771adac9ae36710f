"""The density benchmarks' reference: `kwokctl create cluster --runtime binary` with the same upstream programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from fleet.toolchain import Toolchain

CREATE_SECONDS = 180
# kwokctl listens on every address by default; everything here stays on loopback.
CONFIG = """\
kind: KwokctlConfiguration
apiVersion: config.kwok.x-k8s.io/v1alpha1
options:
  bindAddress: 127.0.0.1
"""


class Kwokctl:
    """Clusters made one after another in a folder of their own."""

    name = "kwokctl"

    def __init__(self, toolchain: Toolchain, folder: Path) -> None:
        self._toolchain = toolchain
        self._folder = folder
        self._names: list[str] = []

    def up(self, count: int) -> None:
        """A loop of `kwokctl create cluster`, each waited for."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        for number in range(count):
            name = f"bench{number}"
            self._names.append(name)
            self._run(
                "create",
                "cluster",
                "--config",
                str(self._folder / "config.yaml"),
                "--runtime",
                "binary",
                "--wait",
                f"{CREATE_SECONDS}s",
                "--etcd-binary",
                str(self._toolchain.program("etcd")),
                "--kube-apiserver-binary",
                str(self._toolchain.program("kube-apiserver")),
                "--kube-controller-manager-binary",
                str(self._toolchain.program("kube-controller-manager")),
                "--kube-scheduler-binary",
                str(self._toolchain.program("kube-scheduler")),
                "--kwok-controller-binary",
                str(self._toolchain.program("kwok")),
                name=name,
            )

    def down(self) -> None:
        """Delete what `up` made."""
        for name in self._names:
            self._run("delete", "cluster", name=name)
        self._names.clear()

    def pids(self) -> list[int]:
        """Of every program of every cluster, from kwokctl's own pid files."""
        return [
            int(file.read_text(encoding="ascii"))
            for name in self._names
            for file in sorted((self._folder / "work" / "clusters" / name / "pids").glob("*.pid"))
        ]

    def _run(self, *arguments: str, name: str) -> None:
        subprocess.run(
            [
                str(self._toolchain.program("kwokctl")),
                *arguments,
                "--name",
                name,
                "--kubeconfig",
                str(self._folder / "kubeconfig"),
            ],
            env=os.environ | {"KWOK_WORKDIR": str(self._folder / "work")},
            check=True,
            capture_output=True,
            timeout=2 * CREATE_SECONDS,
        )
