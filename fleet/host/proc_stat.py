"""`/proc/<pid>/stat` of one process: CPU time, start time, threads, resident pages (proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_UTIME, _STIME, _THREADS, _START, _RSS = 11, 12, 17, 19, 21
"""Positions after the command's closing bracket: fields 14, 15, 20, 22, 24."""
_LONGEST = 4096
"""Bytes; the line has about 350. Read without a file object: a sampler does it for hundreds of programs every 5 s."""


@dataclass(frozen=True)
class Stat:
    """What is read of it."""

    cpu_ticks: int
    """User and system, since the process began."""
    start_ticks: int
    """When it began, since the host was booted. With the pid it distinguishes one process from every other."""
    threads: int
    rss_pages: int

    @property
    def rss(self) -> int:
        """Resident memory, bytes."""
        return self.rss_pages * _PAGE

    @property
    def cpu_seconds(self) -> float:
        """User and system, since the process began."""
        return self.cpu_ticks / TICKS

    @property
    def age_seconds(self) -> float:
        """How long ago it began; wrong by a tick (10 ms) at most."""
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.start_ticks / TICKS)


def read_stat(pid: int, proc: Path = PROC) -> Stat | None:
    """Of that process; None when it is gone."""
    try:
        file = os.open(f"{proc}/{pid}/stat", os.O_RDONLY)
        try:
            line = os.read(file, _LONGEST)
        finally:
            os.close(file)
    except OSError:
        return None
    fields = line.rpartition(b")")[2].split()
    return Stat(
        int(fields[_UTIME]) + int(fields[_STIME]), int(fields[_START]), int(fields[_THREADS]), int(fields[_RSS])
    )
