"""Runs over time: the median of each stage per release, and where it changed for good; pure.

Runs are in one series when nothing forbids to compare them but versions (`fleet.analysis.comparable`), and limits,
drivers, nodes and links are alike. In a series, change points of the logarithms of the medians, in the order of time,
are found by PELT (Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear computational cost",
JASA 107, 2012) as `ruptures` has it (Truong, Oudre and Vayatis, Signal Processing 167, 2020), with a shift of the mean
as its cost. The penalty of a change is `PENALTY` x variance x log n; the variance is that of neighbours' differences,
which a shift hardly touches.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from fleet.analysis.comparable import SHARED, differences
from fleet.analysis.compare import HEADLINE
from fleet.analysis.setting import Setting
from fleet.analysis.study import Study
from fleet.errors import UsageError
from fleet.model.model_errors import nearest

PENALTY = 4.0
"""Twice that of Schwarz' criterion. Of 400 made series of 8, 12, 20 or 40 equal runs (deviation 5 %) at most 1 showed a
change of 10 %; a slowdown of 1.3x half-way was found in 97.5 % of those of 8 runs, and in all of 12."""
LEAST_SEGMENT = 3
"""Runs before and after a change: fewer are an outlier."""
LEAST_RUNS = 2 * LEAST_SEGMENT
LEAST_DEVIATION = 0.005
"""Of a log median: below half a percent the clock and the load's own grid speak."""
ALIKE = ("fleet.limits.", "fleet drivers", "fleet.node_simulator", "fleet.wec_nodes", "fleet.wec_hollow", "fleet links")
"""Beginnings of differences that do not forbid to compare, and make another series; sharing among WECs too."""
VERSIONS = ("fleet.versions.", "fleet.manager.")
"""Differences that a history is about."""
MANAGER, TESTBED = "manager", "testbed"


@dataclass(frozen=True)
class Entry:
    """One run in a series."""

    run: str
    started: str
    release: str
    median: float
    """Seconds."""


@dataclass(frozen=True)
class Change:
    """Where a series changed for good."""

    run: str
    """The first run after it."""
    release: str
    before: float
    """Median of the runs of the level before; seconds."""
    after: float

    @property
    def share(self) -> float:
        """0.3: 30 % slower since."""
        return self.after / self.before - 1


@dataclass(frozen=True)
class Release:
    """The runs of one release in a series, seconds."""

    name: str
    runs: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """One stage at one setting, over the runs that can be compared; in the order of time."""

    ground: int
    """Which of the groups of comparable runs, from 1."""
    experiment: str
    stage: str
    setting: Setting
    entries: Sequence[Entry]
    changes: Sequence[Change]

    @property
    def releases(self) -> list[Release]:
        """In the order of their first runs."""
        groups: dict[str, list[float]] = {}
        for entry in self.entries:
            groups.setdefault(entry.release, []).append(entry.median)
        return [Release(name, len(v), median(v), min(v), max(v)) for name, v in groups.items()]


def release_by(name: str) -> Callable[[Study], str]:
    """What a run's release is: `manager`, `testbed` (this project's version and commit), or one of its programs."""

    def of(study: Study) -> str:
        run = study.run
        if name == MANAGER:
            return str(run.fleet.manager)
        if name == TESTBED:
            return f"{run.version} {run.git}".strip()
        found = run.fleet.versions.get(name)
        if found is None:
            near = nearest(name, [MANAGER, TESTBED, *run.fleet.versions])
            raise UsageError(f"--by: the run {run.id} has no version of {name!r}{near}")
        return found

    return of


def history(studies: Sequence[Study], release: Callable[[Study], str], threshold: float) -> list[Series]:
    """Every series of the headline's stages; runs whose verdict is invalid are to be left out by the caller.

    `threshold`: least share that counts as a change, 0.1 for 10 %.
    """
    grounds: list[list[Study]] = []
    for study in sorted(studies, key=lambda one: (one.run.started, one.run.id)):
        mine = next((group for group in grounds if _alike(group[0], study)), None)
        if mine is None:
            grounds.append([study])
        else:
            mine.append(study)
    return [
        series for number, group in enumerate(grounds, start=1) for series in _of(number, group, release, threshold)
    ]


def _alike(a: Study, b: Study) -> bool:
    return a.run.manager.name == b.run.manager.name and not any(
        (one.blocks and not one.field.startswith(VERSIONS))
        or one.field.startswith(ALIKE)
        or one.field.removeprefix("fleet.") in SHARED
        for one in differences(a, b)
    )


def _of(ground: int, group: Sequence[Study], release: Callable[[Study], str], threshold: float) -> list[Series]:
    found: defaultdict[tuple[str, Setting], list[Entry]] = defaultdict(list)
    stages = tuple(group[0].own.stages) or HEADLINE
    for study in group:
        for row in study.rows:
            if row.stage in stages and row.p50:
                entry = Entry(study.run.id, study.run.started, release(study), row.p50)
                found[row.stage, row.setting].append(entry)
    keys = sorted(found, key=lambda key: (stages.index(key[0]), key[1].order))
    return [
        Series(ground, group[0].run.experiment, stage, setting, entries, changes(entries, threshold))
        for stage, setting in keys
        for entries in [found[stage, setting]]
    ]


def changes(entries: Sequence[Entry], threshold: float) -> list[Change]:
    """Where the level of a series changed by at least that share; none in a series of fewer than `LEAST_RUNS`."""
    if len(entries) < LEAST_RUNS:
        return []
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it
    import ruptures  # noqa: PLC0415

    logs = np.log([entry.median for entry in entries])
    # The median absolute difference of neighbours of a normal series is 0.954 deviations.
    deviation = max(LEAST_DEVIATION, float(np.median(np.abs(np.diff(logs)))) / 0.9539)
    search = ruptures.Pelt(model="l2", min_size=LEAST_SEGMENT, jump=1).fit(logs.reshape(-1, 1))
    bounds: list[int] = [0, *search.predict(pen=PENALTY * deviation**2 * math.log(len(entries)))]
    found = []
    for begin, at, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        before, after = (median(entry.median for entry in part) for part in (entries[begin:at], entries[at:end]))
        change = Change(entries[at].run, entries[at].release, before, after)
        if abs(math.log(after / before)) >= math.log1p(threshold):
            found.append(change)
    return found
