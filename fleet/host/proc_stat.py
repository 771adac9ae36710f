"""`/proc/<pid>/stat` of one process: CPU time, start time, threads, resident pages (proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME, _THREADS, _START, _RSS = 11, 12, 17, 19, 21
"""Positions after the command's closing bracket: fields 14, 15, 20, 22, 24."""


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
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return Stat(
        int(fields[_UTIME]) + int(fields[_STIME]), int(fields[_START]), int(fields[_THREADS]), int(fields[_RSS])
    )
