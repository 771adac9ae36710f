"""Measures every program of this machine's fleet: asks the supervisor for the process ids, the kernel for the rest."""

from __future__ import annotations

import os
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import DeadlineError
from fleet.host import supervisor_client
from fleet.host.layout import Layout
from fleet.host.pods import all_pod_programs
from fleet.host.proc_stat import Stat, read_stat
from fleet.model.fleet_file import FleetFile
from fleet.observe.node_processes import node_containers, node_pids
from fleet.results.events import ProcessSample

Pids = Callable[[], Mapping[str, int]]
"""Program name -> process id, running programs only."""
ANSWER_SECONDS = 5.0
"""A supervisor that takes longer is left out of one sample; it answers within milliseconds."""
ASK_SECONDS = 30.0
"""How long its answer holds where every program of the fleet runs and none is another process since. To answer for two
hundred programs takes it and us 20 ms, as much as reading all of them from the kernel."""


def supervised(state_dir: Path, seconds: float = ANSWER_SECONDS) -> Pids:
    """Asks the supervisor of the machine folder `state_dir`; an empty answer when it is away or hangs."""
    socket = state_dir / "run" / "supervisor.sock"

    def ask() -> Mapping[str, int]:
        try:
            infos = supervisor_client.call(socket, "getAllProcessInfo", seconds=seconds)
        except (OSError, xmlrpc.client.Error, DeadlineError):
            return {}
        return {str(info["name"]): int(info["pid"]) for info in infos if info["pid"]}

    return ask


def programs(state_dir: Path) -> Pids:
    """What the supervisor runs, and what runs inside kind nodes."""
    ask = supervised(state_dir)

    def both() -> Mapping[str, int]:
        return {**node_pids(node_containers(state_dir), pods=all_pod_programs(Layout(state_dir))), **ask()}

    return both


@dataclass(frozen=True)
class _Running:
    """What a supervisor said, and when each of those processes began."""

    asked: float
    pids: Mapping[str, int]
    starts: Mapping[str, int]

    def still(self, stats: Mapping[str, Stat], expected: frozenset[str]) -> bool:
        """Nothing ended, began or is another process, as far as the kernel can say."""
        fresh = time.monotonic() - self.asked < ASK_SECONDS
        return fresh and expected <= self.pids.keys() and self.starts == _starts(stats) and len(stats) == len(self.pids)


class Weigher:
    """Samples programs of the local machines of a fleet. Blocking: call it in a thread."""

    def __init__(self, fleet: FleetFile, pids: Mapping[str, Pids] | None = None) -> None:
        """`pids` by machine name; default: each local machine's supervisor."""
        self._components = {(entry.machine, entry.program): entry for entry in fleet.components}
        self._pids = dict(pids) if pids is not None else _local(fleet)
        self._expected = {
            machine: frozenset(program for where, program in self._components if where == machine)
            for machine in self._pids
        }
        self._running: dict[str, _Running] = {}
        self._here = next(iter(self._pids), "")
        self.besides: Mapping[str, int] = {}
        """Programs of this machine that are not the fleet's, and their process ids: those that an experiment starts."""

    def sample(self) -> list[ProcessSample]:
        """One line per running program; a program that ends meanwhile is left out."""
        lines: list[ProcessSample] = []
        for machine, ask in self._pids.items():
            running = self._running.get(machine)
            stats = _stats(running.pids) if running is not None else {}
            if running is None or not running.still(stats, self._expected[machine]):
                pids = dict(sorted(ask().items()))
                stats = _stats(pids)
                running = self._running[machine] = _Running(time.monotonic(), pids, _starts(stats))
            lines += self._weighed(machine, running.pids, stats)
        return lines

    def sample_besides(self) -> list[ProcessSample]:
        """One line per program of `besides` that runs."""
        pids = dict(sorted(self.besides.items()))
        return self._weighed(self._here, pids, _stats(pids))

    def _weighed(self, machine: str, pids: Mapping[str, int], stats: Mapping[str, Stat]) -> list[ProcessSample]:
        lines = (self._line(machine, program, pids[program], stat) for program, stat in stats.items())
        return [line for line in lines if line is not None]

    def _line(self, machine: str, program: str, pid: int, stat: Stat) -> ProcessSample | None:
        """None when it has ended."""
        entry = self._components.get((machine, program))
        component, _, cluster = program.partition(".")
        try:
            fds = _open_files(pid)
        except OSError:
            return None
        return ProcessSample(
            ns=time.monotonic_ns(),
            wall=time.time_ns(),
            machine=machine,
            program=program,
            component=entry.component if entry else component,
            cluster=entry.cluster if entry else cluster,
            pid=pid,
            cpu_seconds=stat.cpu_seconds,
            rss=stat.rss,
            fds=fds,
            threads=stat.threads,
        )


def _open_files(pid: int) -> int:
    """How many descriptors it has; since Linux 6.2 the size of the folder, which costs a tenth of listing it."""
    folder = f"/proc/{pid}/fd"
    return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208 - hundreds of programs


def _stats(pids: Mapping[str, int]) -> dict[str, Stat]:
    """Of those that run."""
    found = ((program, read_stat(pid)) for program, pid in pids.items())
    return {program: stat for program, stat in found if stat is not None}


def _starts(stats: Mapping[str, Stat]) -> dict[str, int]:
    return {program: stat.start_ticks for program, stat in stats.items()}


def _local(fleet: FleetFile) -> dict[str, Pids]:
    return {m.name: programs(Path(m.state_dir)) for m in fleet.machines if m.connection == "local"}
