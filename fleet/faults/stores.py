"""The etcd behind control planes of this machine: its programs, and its data copied and exchanged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import HostError, UsageError
from fleet.faults.back import processes
from fleet.faults.fault import Aim
from fleet.faults.targets import of_programs
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import Component, FleetFile

COMMAND_SECONDS = 120.0
ETCD = "etcd"


@dataclass(frozen=True)
class Store:
    """One etcd of this machine."""

    data: Path
    users: tuple[str, ...]
    """Programs that live on it, itself first: in the order in which they start."""

    @property
    def program(self) -> str:
        """The etcd itself."""
        return self.users[0]


def aims(wanted: Action, fleet: FleetFile) -> list[Aim]:
    """The etcd of a control plane (of the driver `process`), or of a dense process by its program's name.

    UsageError names what is meant where a control plane shares its etcd: the fault takes all that share it.
    """
    etcd = _etcd(wanted, fleet)
    (aim,) = of_programs(wanted, [etcd], fleet)
    if etcd.cluster:
        beside = [p.program for p in fleet.components if p.cluster == etcd.cluster and p.program.startswith("kube-")]
    else:
        beside = [f"dense.{etcd.program.rpartition('-')[2]}"]
    return [aim.model_copy(update={"facts": {"store": etcd.cluster}, "programs": [etcd.program, *beside]})]


def _etcd(wanted: Action, fleet: FleetFile) -> Component:
    stores = [part for part in fleet.components if part.component == ETCD]
    for part in stores:
        if wanted.target in (part.program, part.cluster):
            return part
    names = ", ".join(sorted(part.program for part in stores)) or "none"
    if any(cluster.name == wanted.target for cluster in fleet.clusters):
        raise UsageError(
            f"{wanted.target} has no etcd of its own, so {wanted.action} takes every control plane that shares it: name"
            f" the etcd ({names})"
        )
    raise UsageError(f"the fleet {fleet.name} has no etcd of {wanted.target}: its etcds are {names}")


def store_of(aim: Aim, root: Path) -> Store:
    """The etcd that an aim of `aims` is at."""
    etcd = aim.parts[0]
    folder = root / "clusters" / aim.facts["store"] if aim.facts["store"] else _shard(root, etcd)
    return Store(folder / "etcd", tuple(aim.programs))


def _shard(root: Path, etcd: str) -> Path:
    return root / "dense" / etcd.rpartition("-")[2]


@contextmanager
def frozen(root: Path, program: str) -> Iterator[None]:
    """The program does not write meanwhile: its files are as a power cut would leave them."""
    found = processes(Supervisor(root), [program])
    if not found:
        raise HostError(f"{program} does not run")
    for process in found:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            if process.is_running():
                os.kill(process.pid, signal.SIGCONT)


@contextmanager
def down(root: Path, store: Store) -> Iterator[None]:
    """All programs of the store are stopped meanwhile, and started at the end whatever happens."""
    supervisor = Supervisor(root)
    for name in reversed(store.users):
        supervisor.stop(name)
    try:
        yield
    finally:
        for name in store.users:
            supervisor.start(name)


def copy(source: Path, target: Path) -> None:
    """A copy of a folder; what etcd keeps empty for later takes no space in it."""
    run("cp", "-a", "--sparse=always", str(source), str(target))


def exchange(data: Path, wanted: Path) -> None:
    """Put `wanted` in the place of `data`. Killed at any moment, `recover` finds one of both whole."""
    old = data.with_name(f"{data.name}.old")
    data.rename(old)
    wanted.rename(data)
    shutil.rmtree(old)


def recover(data: Path) -> None:
    """After an exchange that was cut off."""
    old = data.with_name(f"{data.name}.old")
    if old.exists():
        if data.exists():
            shutil.rmtree(old)
        else:
            old.rename(data)


def run(*argv: str) -> str:
    """Run a command of the system; what it wrote. HostError with what it complained of."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{argv[0]}: {error}") from error
    if done.returncode != 0:
        raise HostError(f"{' '.join(argv[:3])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
