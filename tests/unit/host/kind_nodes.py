"""What the containers of kind clusters serve, in the place of a container engine (`fleet.testing.fake_engine`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from fleet.host.machine import Machine
from fleet.host.pki import Subject


class Nodes:
    """API servers of the remembered nodes: real processes of the fake toolchain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.machine: Machine | None = None

    def start(self, port: int, container: str) -> None:
        assert self.machine is not None
        pki = self.machine.pki()
        assert pki is not None
        work = self.folder / container
        work.mkdir(exist_ok=True)
        pki.authority("ca").issue(work, "server", Subject("kube-apiserver", (), ("127.0.0.1",), client=False))
        flags = {
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "client-ca-file": self.machine.layout.pki / "ca.crt",
            "tls-cert-file": work / "server.crt",
            "tls-private-key-file": work / "server.key",
        }
        command = [str(self.folder / "bin" / "kube-apiserver"), *(f"--{k}={v}" for k, v in flags.items())]
        self.running[container] = subprocess.Popen(command, cwd=work)

    def stop(self, container: str) -> None:
        process = self.running.pop(container, None)
        if process is not None:
            process.kill()
            process.wait()
