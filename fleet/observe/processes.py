"""Measures every program of this machine's fleet: asks the supervisor for the process ids, the kernel for the rest."""

from __future__ import annotations

import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from fleet.errors import DeadlineError
from fleet.host import supervisor_client
from fleet.host.layout import Layout
from fleet.host.pods import all_pod_programs
from fleet.model.fleet_file import FleetFile
from fleet.observe.node_processes import node_containers, node_pids
from fleet.results.events import ProcessSample

Pids = Callable[[], Mapping[str, int]]
"""Program name -> process id, running programs only."""
ANSWER_SECONDS = 5.0
"""A supervisor that takes longer is left out of one sample; it answers within milliseconds."""


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


class Weigher:
    """Samples programs of the local machines of a fleet. Blocking: call it in a thread."""

    def __init__(self, fleet: FleetFile, pids: Mapping[str, Pids] | None = None) -> None:
        """`pids` by machine name; default: each local machine's supervisor."""
        self._components = {(entry.machine, entry.program): entry for entry in fleet.components}
        self._pids = dict(pids) if pids is not None else _local(fleet)
        self._known: dict[int, psutil.Process] = {}
        self._here = next(iter(self._pids), "")
        self.besides: Mapping[str, int] = {}
        """Programs of this machine that are not the fleet's, and their process ids: those that an experiment starts."""

    def sample(self) -> list[ProcessSample]:
        """One line per running program; a program that ends meanwhile is left out."""
        lines: list[ProcessSample] = []
        for machine, ask in self._pids.items():
            for program, pid in sorted(ask().items()):
                line = self._weigh(machine, program, pid)
                if line is not None:
                    lines.append(line)
        return lines

    def sample_besides(self) -> list[ProcessSample]:
        """One line per program of `besides` that runs."""
        found = (self._weigh(self._here, program, pid) for program, pid in sorted(self.besides.items()))
        return [line for line in found if line is not None]

    def _weigh(self, machine: str, program: str, pid: int) -> ProcessSample | None:
        entry = self._components.get((machine, program))
        component, _, cluster = program.partition(".")
        try:
            process = self._known.get(pid)
            if process is None or not process.is_running():  # compares start times: a reused pid is another process
                process = self._known[pid] = psutil.Process(pid)
            with process.oneshot():
                cpu = process.cpu_times()
                memory = process.memory_info()
                threads = process.num_threads()
                fds = process.num_fds()
        except (psutil.Error, OSError):
            self._known.pop(pid, None)
            return None
        return ProcessSample(
            ns=time.monotonic_ns(),
            wall=time.time_ns(),
            machine=machine,
            program=program,
            component=entry.component if entry else component,
            cluster=entry.cluster if entry else cluster,
            pid=pid,
            cpu_seconds=cpu.user + cpu.system,
            rss=memory.rss,
            fds=fds,
            threads=threads,
        )


def _local(fleet: FleetFile) -> dict[str, Pids]:
    return {m.name: programs(Path(m.state_dir)) for m in fleet.machines if m.connection == "local"}
