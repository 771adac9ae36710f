"""How much CPU everybody took on this host, and how much of that was the driver's own: the rest follows from it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from fleet.model.fleet_file import FleetFile
from fleet.results.events import HostSample

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Network namespaces of one host, which are several machines to a fleet, read the same there."""


class HostLoad:
    """Samples the host that it runs on. Blocking: call it in a thread."""

    def __init__(self, fleet: FleetFile, driver: int = 0) -> None:
        """`driver` is the process whose doing, with that of its children, is ours; 0: only this process is."""
        self._machines = [machine.name for machine in fleet.machines if machine.connection == "local"]
        self._host = BOOT_ID.read_text(encoding="ascii").strip()
        self._driver = driver or os.getpid()

    def sample(self) -> HostSample:
        """What it did since it was booted."""
        cpu = psutil.cpu_times()
        return HostSample(
            host=self._host,
            machines=self._machines,
            cores=os.cpu_count() or 1,
            busy_seconds=cpu.user + cpu.nice + cpu.system + cpu.irq + cpu.softirq,
            stolen_seconds=cpu.steal,
            harness_seconds=_tree(self._driver),
            ns=time.monotonic_ns(),
            wall=time.time_ns(),
        )


def _tree(pid: int) -> float:
    """CPU seconds of a process, of its living descendants, and of those that ended and were waited for."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0.0
    total = 0.0
    for process in processes:
        try:
            total += sum(process.cpu_times()[:4])  # user, system, and both of the ended children
        except psutil.Error:
            continue
    return total
