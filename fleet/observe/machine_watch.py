"""Counters of this host that show a disturbance of everything on it: clocks, sleep, swap, memory, OOM kills."""

from __future__ import annotations

import re
import time
from pathlib import Path

from fleet.host.proc_stat import PROC
from fleet.model.fleet_file import FleetFile
from fleet.observe.host_load import BOOT_ID
from fleet.results.events import MachineState

TRIES = 5
"""Readings of the clocks of which the quickest counts: between two of them this process may have waited for a core."""
_FULL = re.compile(r"^full .*total=(\d+)", re.MULTILINE)


def machine_state(fleet: FleetFile, proc: Path = PROC) -> MachineState:
    """As it is now. What this kernel does not report is 0."""
    ahead, asleep, error = min((_clocks() for _ in range(TRIES)), key=lambda read: read[2])
    counters = dict(line.split() for line in _text(proc / "vmstat").splitlines() if line.count(" ") == 1)
    stalled = _FULL.search(_text(proc / "pressure" / "memory"))
    return MachineState(
        ns=time.monotonic_ns(),
        wall=time.time_ns(),
        host=BOOT_ID.read_text(encoding="ascii").strip(),
        machines=[machine.name for machine in fleet.machines if machine.connection == "local"],
        wall_ahead_ns=ahead,
        asleep_ns=asleep,
        error_ns=error,
        pages_swapped=int(counters.get("pswpin", 0)) + int(counters.get("pswpout", 0)),
        oom_kills=int(counters.get("oom_kill", 0)),
        memory_stalled_us=int(stalled[1]) if stalled else 0,
    )


def _clocks() -> tuple[int, int, int]:
    """CLOCK_REALTIME and CLOCK_BOOTTIME, each less CLOCK_MONOTONIC, and how wrong that may be; nanoseconds."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    middle = (before + after) // 2
    return wall - middle, boot - middle, after - before


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
