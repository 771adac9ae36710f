"""Facts about the machine and the clock that a run was driven on, read from `/proc`."""

from __future__ import annotations

import os
import platform
import re
import resource
import time
from pathlib import Path

from fleet.results.run import ClockInfo, MachineFacts

_AVG60 = re.compile(r"^some .*avg60=([0-9.]+)", re.MULTILINE)


def machine_facts(proc: Path = Path("/proc")) -> MachineFacts:
    """What can be read without privileges; what cannot is left at 0 or empty."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    inotify = proc / "sys/fs/inotify"
    return MachineFacts(
        cpu_model=_field(proc / "cpuinfo", "model name"),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=int(_field(proc / "meminfo", "MemTotal").split(" ")[0] or 0) * 1024,
        kernel=platform.release(),
        python=platform.python_version(),
        nofile_soft=soft,
        nofile_hard=hard,
        inotify_instances=int(_text(inotify / "max_user_instances") or 0),
        inotify_watches=int(_text(inotify / "max_user_watches") or 0),
        pressure={
            name: float(match.group(1))
            for name in ("cpu", "io", "memory")
            if (match := _AVG60.search(_text(proc / "pressure" / name)))
        },
    )


def clock_info() -> ClockInfo:
    """The monotonic clock and what the wall clock says at the same moment."""
    info = time.get_clock_info("monotonic")
    return ClockInfo(
        implementation=info.implementation,
        resolution_ns=max(1, round(info.resolution * 1e9)),
        monotonic_ns=time.monotonic_ns(),
        wall_ns=time.time_ns(),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _field(path: Path, name: str) -> str:
    for line in _text(path).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
