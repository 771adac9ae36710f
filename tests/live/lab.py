"""One fleet on this machine for the live tests: its folder, its playbooks, its commands, and what it must not leave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleet.host.https import Endpoint
from fleet.host.layout import Layout
from fleet.kube.client import KubeClient
from fleet.model import fleet_load

REPO = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PLAYBOOK_SECONDS = 900
"""Longer than any playbook on a busy machine with two cores; a hang fails here instead of at the gate's limit."""


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    def check(self, code: int = 0) -> Ran:
        """Itself when it ended with `code`; else an assertion with what it printed."""
        assert self.code == code, f"exit {self.code}, not {code}\n{self.out[-6000:]}\n{self.err[-6000:]}"
        return self


@dataclass(frozen=True)
class Lab:
    """A fleet's name, the state folder that holds it, and the variables that every playbook run gets."""

    name: str
    state: Path
    variables: Mapping[str, object]
    alone: bool = True
    """Whether nothing but this fleet lies in the state folder."""

    @property
    def environment(self) -> dict[str, str]:
        """Of every command: the tests' own state folder, no colour, the venv's programs first."""
        return os.environ | {
            "FLEET_STATE_DIR": str(self.state),
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }

    def run(self, argv: Sequence[str], *, seconds: float = PLAYBOOK_SECONDS) -> Ran:
        """Run a command in the checkout to its end."""
        done = subprocess.run(
            argv, cwd=REPO, env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command of the checkout and leave it running."""
        return subprocess.Popen(
            argv, cwd=REPO, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def playbook(self, name: str, *arguments: str, **variables: object) -> Ran:
        """Run a playbook with the lab's variables, then these."""
        wanted = {"fleet_name": self.name, "fleet_state_dir": str(self.state), **self.variables, **variables}
        return self.run([str(BIN / "ansible-playbook"), name, "-e", json.dumps(wanted), *arguments])

    def fleet(self, *arguments: str, seconds: float = PLAYBOOK_SECONDS) -> Ran:
        """Run the `fleet` command on this lab's fleet."""
        return self.run([str(BIN / "fleet"), *arguments], seconds=seconds)

    @property
    def folder(self) -> Path:
        """The machine's folder of this fleet."""
        return self.state / self.name

    def endpoint(self, cluster: str) -> Endpoint:
        """The API server of one of its control planes on this machine, as its admin."""
        clusters = fleet_load.load(self.folder / "fleet.json").clusters
        (server,) = [one.server for one in clusters if one.name == cluster]
        layout = Layout(self.folder)
        own = layout.cluster(cluster) / "pki"
        return Endpoint(server, layout.pki / "ca.crt", own / "admin.crt", own / "admin.key")

    def client(self, cluster: str) -> KubeClient:
        """The same for what waits for many objects; to be closed by the caller."""
        return KubeClient.from_kubeconfig(Layout(self.folder).kubeconfig(cluster), cluster=cluster)

    def processes(self) -> list[psutil.Process]:
        """Every live process that names this lab's folder in its command line or runs in it."""
        return list(self._processes(str(self.state if self.alone else self.folder)))

    def _processes(self, folder: str) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and (
                    any(folder in word for word in process.cmdline()) or process.cwd().startswith(folder)
                ):
                    yield process
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue


def changed(ran: Ran) -> int:
    """Changed tasks over all hosts, from the recap of a playbook that ended well."""
    counts = re.findall(r"changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", ran.out)
    assert counts, f"no recap in\n{ran.out[-3000:]}"
    assert all(unreachable == failed == "0" for _, unreachable, failed in counts), ran.out[-3000:]
    return sum(int(count) for count, _, _ in counts)
