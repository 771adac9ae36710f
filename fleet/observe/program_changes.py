"""Which programs of this machine run as another process than at the look before: pid and the kernel's start time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import HostError
from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.proc_stat import PROC, read_stat
from fleet.model.fleet_file import FleetFile
from fleet.results.events import ProcessSample, ProgramChanged

ADMIN_SECONDS = 5.0
INSTANCE = "control plane"
"""Component of one control plane inside a shared process."""


@dataclass(frozen=True)
class _Life:
    """One life of a program. Two looks saw the same process when pid and start are equal."""

    machine: str
    program: str
    component: str
    cluster: str
    pid: int
    start_ticks: int
    age_seconds: float


Instances = Callable[[], Mapping[str, Mapping[str, bool]]]
"""Shared process -> control plane in it -> whether it is ready; of a process that does not answer nothing is known, and
it is left out."""


class ProgramChanges:
    """Compares each round of samples with the one before. Blocking: call it in a thread."""

    def __init__(self, instances: Mapping[str, Instances] | None = None, proc: Path = PROC) -> None:
        """`instances` by machine: control planes that share a process there."""
        self._instances = dict(instances or {})
        self._proc = proc
        self._alive: dict[tuple[str, str], _Life] = {}
        self._gone: dict[tuple[str, str], _Life] = {}
        self._looked_ns: dict[str, int] = {}

    def look(self, samples: Sequence[ProcessSample]) -> list[ProgramChanged]:
        """What changed since the last call; nothing at the first. A machine without any sample is left alone: its
        supervisor did not answer, and what it runs is not known."""
        found: list[ProgramChanged] = []
        for machine in dict.fromkeys(sample.machine for sample in samples):
            lives = {sample.program: self._life(sample) for sample in samples if sample.machine == machine}
            now = {name: life for name, life in lives.items() if life is not None}
            known = now | self._shared(machine, now)
            found += self._compare(machine, known, time.monotonic_ns())
        return found

    def _life(self, sample: ProcessSample) -> _Life | None:
        stat = read_stat(sample.pid, self._proc)
        if stat is None:
            return None
        return _Life(
            sample.machine, sample.program, sample.component, sample.cluster, sample.pid, stat.start_ticks,
            stat.age_seconds,
        )  # fmt: skip

    def _shared(self, machine: str, now: Mapping[str, _Life]) -> dict[str, _Life]:
        """Control planes that are ready in a shared process, as lives of their own; how old they are is not known.

        Of a process that did not answer (a starved machine) those of the look before: nothing says that they ended.
        """
        ask = self._instances.get(machine)
        answers = ask() if ask else {}
        found = {
            program: life
            for (where, program), life in self._alive.items()
            if where == machine and life.component == INSTANCE and program.partition("/")[0] not in answers
        }
        for host, planes in answers.items():
            if host in now:
                for name, ready in planes.items():
                    if ready:
                        program = f"{host}/{name}"
                        found[program] = _Life(machine, program, INSTANCE, name, now[host].pid, 0, 0.0)
        return found

    def _compare(self, machine: str, now: Mapping[str, _Life], ns: int) -> Iterable[ProgramChanged]:
        former = {program: life for (where, program), life in self._alive.items() if where == machine}
        gone = {program: life for (where, program), life in self._gone.items() if where == machine}
        first = machine not in self._looked_ns
        unseen = 0.0 if first else (ns - self._looked_ns[machine]) / 1e9
        self._looked_ns[machine] = ns
        found = []
        for program in sorted(former.keys() | gone.keys() | now.keys()):
            old, new = former.get(program), now.get(program)
            if old is not None and new is not None and (old.pid, old.start_ticks) == (new.pid, new.start_ticks):
                continue
            if (old is None and new is None) or first or self._host_changed(program, former, now):
                continue
            found.append(_line(old, new, ns, unseen))
        for program, life in former.items():
            if program not in now:
                self._gone[machine, program] = life
                del self._alive[machine, program]
        for program, life in now.items():
            self._alive[machine, program] = life
            self._gone.pop((machine, program), None)
        return found

    @staticmethod
    def _host_changed(program: str, former: Mapping[str, _Life], now: Mapping[str, _Life]) -> bool:
        """The whole shared process is another: that is one change, not one of each control plane in it."""
        host, shared, _ = program.partition("/")
        if not shared:
            return False
        old, new = former.get(host), now.get(host)
        return old is None or new is None or (old.pid, old.start_ticks) != (new.pid, new.start_ticks)


def _line(old: _Life | None, new: _Life | None, ns: int, unseen: float) -> ProgramChanged:
    told = new or old
    assert told is not None  # noqa: S101 - the caller has one of them
    return ProgramChanged(
        ns=ns,
        wall=time.time_ns(),
        machine=told.machine,
        program=told.program,
        component=told.component,
        cluster=told.cluster,
        old_pid=old.pid if old else 0,
        new_pid=new.pid if new else 0,
        age_seconds=new.age_seconds if new else 0.0,
        unseen_seconds=unseen,
    )


def dense_instances(run: Path) -> Instances:
    """Asks each dense process that has a socket in `run`, the machine's folder of sockets."""

    def ask() -> Mapping[str, Mapping[str, bool]]:
        found = {}
        for socket in sorted(run.glob("dense-*.sock")):
            try:
                planes = DenseAdmin(socket, ADMIN_SECONDS).instances()
            except (OSError, HostError, json.JSONDecodeError):
                continue
            found[f"dense.{socket.stem.removeprefix('dense-')}"] = {name: one.ready for name, one in planes.items()}
        return found

    return ask


def local_instances(fleet: FleetFile) -> dict[str, Instances]:
    """Of the machines that this process is on."""
    return {m.name: dense_instances(Path(m.state_dir) / "run") for m in fleet.machines if m.connection == "local"}
