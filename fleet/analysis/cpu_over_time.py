"""The CPU of the emulation alongside that of the system under test, over the time of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from fleet.analysis.cpu_shares import EMULATION, Owner, by_owner
from fleet.analysis.recorded import Recorded
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord

Side = Literal["system under test", "emulation", "driver"]
SIDES: tuple[Side, ...] = ("system under test", "emulation", "driver")
COLUMNS = 200
LEAST_SECONDS = 1.0
"""Of a column: programs are sampled about this often."""
_SYSTEM: frozenset[Owner] = frozenset({"hub control planes", "manager", "agents", "platforms"})


def cpu_over_time(
    recorded: Recorded, fleet: FleetFile, manager: ManagerRecord
) -> dict[str, Sequence[tuple[float, float]]]:
    """Of each of `SIDES` that has programs: (seconds of the run, cores), at least `LEAST_SECONDS` apart.

    Where no hub was emulated the WECs are the system under test. What was used between two samples of a program is
    spread evenly over the time between them.
    """
    if not recorded.processes:
        return {}
    first, width = recorded.first_ns, max(LEAST_SECONDS, (recorded.last_ns - recorded.first_ns) / 1e9 / COLUMNS)
    used: dict[Side, defaultdict[int, float]] = {}
    hub = any(cluster.name for cluster in fleet.hub())
    for owner, samples in by_owner(recorded, fleet, manager):
        side = _side(owner, hub=hub)
        if side is None:
            continue
        for former, now in pairwise(samples):
            begin, end = (former.ns - first) / 1e9, (now.ns - first) / 1e9
            _spread(used.setdefault(side, defaultdict(float)), begin, end, now.cpu_seconds - former.cpu_seconds, width)
    for driver in _drivers(recorded):
        for (before, taken), (at, more) in pairwise(driver):
            _spread(used.setdefault("driver", defaultdict(float)), before, at, more - taken, width)
    last = max((column for columns in used.values() for column in columns), default=-1)
    return {
        side: [((column + 0.5) * width, used[side][column] / width) for column in range(last + 1)]
        for side in SIDES
        if side in used
    }


def _side(owner: Owner, *, hub: bool) -> Side | None:
    if owner in _SYSTEM or (owner in EMULATION and not hub):
        return "system under test"
    return "emulation" if owner in EMULATION else None


def _drivers(recorded: Recorded) -> list[list[tuple[float, float]]]:
    """Per sampler: (seconds, CPU seconds of the driver and its helpers there)."""
    found: Mapping[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for sample in recorded.hosts:
        at = (sample.ns - recorded.first_ns) / 1e9
        found[sample.host, *sample.machines].append((at, sample.harness_seconds))
    return list(found.values())


def _spread(columns: defaultdict[int, float], begin: float, end: float, seconds: float, width: float) -> None:
    if end <= begin or seconds <= 0:
        return
    for column in range(int(begin / width), int(end / width) + 1):
        shared = min(end, (column + 1) * width) - max(begin, column * width)
        if shared > 0:
            columns[column] += seconds * shared / (end - begin)
