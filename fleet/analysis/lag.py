"""Which WECs lag: each WEC's samples of one stage against the median of their own trial, and over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample

LEAST_WECS = 2
"""With fewer there is nothing to compare."""


@dataclass(frozen=True)
class WecLag:
    """One WEC in the counted trials."""

    cluster: str
    lag: float
    """Seconds, median of its samples less the median of their trial."""
    median: float
    worst: float
    missing: int
    points: Sequence[tuple[float, float]]
    """(when the sample ended, seconds since the run's first line; latency in seconds), by time."""


@dataclass(frozen=True)
class Cell:
    """One stretch of time of one WEC in the heat map."""

    row: int
    """Place of the WEC among those of `HeatMap.clusters`."""
    column: int
    seconds: float
    """Median of the samples that ended there."""


@dataclass(frozen=True)
class HeatMap:
    """WECs by time; cells in which nothing ended are absent."""

    clusters: Sequence[str]
    """The one that lags most first."""
    width: float
    """Seconds of a column."""
    columns: int
    cells: Sequence[Cell]


def stage_of(samples: Iterable[Sample], preferred: Sequence[str]) -> str:
    """The first of those stages with samples in `LEAST_WECS` WECs; empty when there is none."""
    measured = Samples.of(samples).counted.ended
    found = (stage for stage in preferred if len(measured.of_stages(stage).clusters()) >= LEAST_WECS)
    return next(found, "")


def lags(samples: Iterable[Sample], stage: str, first_ns: int) -> list[WecLag]:
    """One per WEC with a sample of that stage, the one that lags most first."""
    mine = Samples.of(samples).of_stages(stage).counted.of_wecs
    usual = {trial: median(group.seconds()) for trial, group in mine.ended.by_trial().items()}
    groups = mine.by_cluster()
    found = [_lag(cluster, group, usual, first_ns) for cluster, group in groups.items()]
    return sorted((one for one in found if one.points), key=lambda one: (-one.lag, one.cluster))


def _lag(cluster: str, group: Samples, usual: dict[str, float], first_ns: int) -> WecLag:
    ended = [(s.end_ns, s.seconds, s.trial) for s in group if s.end_ns is not None and s.seconds is not None]
    behind = [seconds - usual[trial] for _, seconds, trial in ended]
    values = [seconds for _, seconds, _ in ended]
    return WecLag(
        cluster,
        median(behind) if behind else 0.0,
        median(values) if values else 0.0,
        max(values, default=0.0),
        len(group) - len(ended),
        sorted(((end - first_ns) / 1e9, seconds) for end, seconds, _ in ended),
    )


def heat_map(found: Sequence[WecLag], *, columns: int, rows: int) -> HeatMap:
    """Over the time from the run's begin to the last sample; of more WECs than `rows` those that lag most."""
    shown = found[:rows]
    last = max((at for wec in shown for at, _ in wec.points), default=0.0)
    width = last / columns or 1.0
    cells: list[Cell] = []
    for row, wec in enumerate(shown):
        binned: defaultdict[int, list[float]] = defaultdict(list)
        for at, seconds in wec.points:
            binned[min(columns - 1, int(at / width))].append(seconds)
        cells += [Cell(row, column, median(values)) for column, values in sorted(binned.items())]
    return HeatMap([wec.cluster for wec in shown], width, columns, cells)
