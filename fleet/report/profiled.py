"""The profiles of a run in its report: a table of what grew, and flame graphs of the programs that matter most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.profiles import RunProfiles, Series
from fleet.report.flame import amount, flame
from fleet.report.tables import ABSENT, Table

DRAWN = 6
"""Flame graphs of one kind in a page; each may have a thousand frames."""
TABLE_ROWS = 60
"""A hundred agents of two kinds are too many to read; the largest are shown, by kind."""


@dataclass(frozen=True)
class FlameGraph:
    """One folded drawing."""

    svg: str
    title: str
    caption: str


def table(profiles: RunProfiles) -> Table:
    """One row per program and kind, the largest first."""
    head = ("kind", "program", "profiles", "last", "growth", "costliest function", "grew most")
    body = []
    for series in ranked(profiles.series)[:TABLE_ROWS]:
        sign = "+" if series.growth > 0 else ""
        growth = ABSENT if series.kind == "cpu" else f"{sign}{_shown(series.growth, series)}"
        costliest, grown = series.costliest, series.grown
        body.append(
            (
                series.kind,
                series.program,
                str(len(series.taken)),
                _shown(series.size, series),
                growth,
                ABSENT if costliest is None else f"{short(costliest.function)} {_shown(costliest.flat, series)}",
                ABSENT if grown is None else f"{short(grown.function)} +{_shown(grown.flat, series)}",
            )
        )
    return Table(head, body, frozenset(head[2:5]), frozenset(head[5:]))


def ranked(series: Sequence[Series]) -> list[Series]:
    """Heap, goroutine, CPU; in each the one that costs most first."""
    order = {"heap": 0, "goroutine": 1, "cpu": 2}
    return sorted(series, key=lambda one: (order[one.kind], -one.size, one.program))


def flames(profiles: RunProfiles) -> list[FlameGraph]:
    """Heaps coloured by what grew since the first, where there are two; CPU of all its profiles together."""
    made = []
    for kind in ("heap", "cpu"):
        for series in [one for one in ranked(profiles.series) if one.kind == kind][:DRAWN]:
            compared = kind == "heap" and len(series.taken) > 1
            svg = flame(series.last, series.sample_type, series.first if compared else None)
            if svg:
                made.append(FlameGraph(svg, f"{series.program}, {kind}", _caption(series, compared=compared)))
    return made


def _caption(series: Series, *, compared: bool) -> str:
    if series.kind == "cpu":
        count = len(series.taken)
        return f"{_shown(series.size, series)} of CPU in {count} profile{'s' if count != 1 else ''} together."
    if compared:
        return (
            f"The last of {len(series.taken)} heaps, {_shown(series.size, series)}. Red grew and blue shrank since the "
            "first by more than a hundredth of the whole."
        )
    return f"One heap, {_shown(series.size, series)} live."


def short(function: str) -> str:
    """A function without the path of its package: `mvcc.(*kvstore).Put`."""
    return function.rpartition("/")[2]


def _shown(value: int, series: Series) -> str:
    return amount(value, series.unit)
