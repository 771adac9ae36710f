"""What the programs of a machine take now: CPU seconds, memory, descriptors, threads, inotify instances."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleet.host.proc_stat import read_stat
from fleet.host.supervise import Supervisor

KIB = 1024


@dataclass(frozen=True)
class ProcessWeight:
    """One process. Memory in bytes; `pss` counts a page shared by n processes as 1/n; `anonymous` is what
    no file backs."""

    program: str
    pid: int
    cpu_seconds: float
    rss: int
    pss: int
    anonymous: int
    descriptors: int
    inotify: int
    threads: int
    peak_rss: int = 0
    """Largest `rss` since the program started."""


def weigh_pid(program: str, pid: int, *, proc: Path = Path("/proc")) -> ProcessWeight | None:
    """One process; None when it is gone or another user's."""
    folder = proc / str(pid)
    try:
        rollup = (folder / "smaps_rollup").read_text(encoding="ascii")
        status = (folder / "status").read_text(encoding="utf-8", errors="replace")
        links = [os.readlink(entry) for entry in (folder / "fd").iterdir()]  # noqa: PTH115 - the targets are no paths
    except OSError:
        return None
    stat = read_stat(pid, proc)
    if stat is None:
        return None
    sizes = {name: int(value) * KIB for name, value in re.findall(r"(?m)^(\w+):\s+(\d+) kB$", rollup)}
    return ProcessWeight(
        program=program,
        pid=pid,
        cpu_seconds=stat.cpu_seconds,
        rss=sizes.get("Rss", stat.rss),
        pss=sizes.get("Pss", 0),
        anonymous=sizes.get("Anonymous", 0),
        descriptors=len(links),
        inotify=links.count("anon_inode:inotify"),
        threads=stat.threads,
        peak_rss=sum(int(size) * KIB for size in re.findall(r"(?m)^VmHWM:\s+(\d+) kB$", status)),
    )


def weigh_pids(pids: Iterable[tuple[str, int]]) -> list[ProcessWeight]:
    """Several processes, given as (program, pid); those that are gone are left out."""
    return [weight for program, pid in pids if (weight := weigh_pid(program, pid)) is not None]


def weigh(root: Path) -> list[ProcessWeight]:
    """Every program of the machine's folder `root`, and its supervisor, by name."""
    supervisor = Supervisor(root)
    pids = [(state.name, state.pid) for state in supervisor.states() if state.pid]
    pids += [("supervisord", process.pid) for process in supervisor.daemon.processes()]
    return weigh_pids(sorted(pids))
