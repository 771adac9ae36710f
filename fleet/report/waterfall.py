"""Where the time of the median object goes: medians of the marks since its creation, cut into segments."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fleet.analysis.hop_table import ACTIVATED, CREATED, READY, HopTable
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Setting

FIXED_COLOUR = "#b0b0b0"
_COLOURS = {
    "activation": "#8fbc3f",
    "workload": "#e69f00",
    "report": "#d55e00",
    "finalization": "#cc79a7",
}
_OTHERS = ("#56b4e9", "#0072b2", "#009e73", "#f0e442", "#999933", "#44aa99")
"""In turn, for the hops that belong to one manager."""


@dataclass(frozen=True)
class Step:
    """One cut of the bar."""

    name: str
    stage: str
    """Whose samples end at the mark."""
    mark: str


@dataclass(frozen=True)
class Segment:
    """A stretch of the bar; seconds since the object was created."""

    name: str
    start: float
    end: float
    colour: str
    fixed: bool = False
    """It passes whatever the manager's limits are."""


@dataclass(frozen=True)
class Waterfall:
    """One setting."""

    setting: Setting
    segments: tuple[Segment, ...]

    @property
    def end(self) -> float:
        """Seconds to its last mark."""
        return self.segments[-1].end if self.segments else 0.0


def steps(table: HopTable) -> list[Step]:
    """The way of an object, mark by mark. What happens alongside the way (it begins where the object is in its WEC, and
    does not end with its being ready) is left out."""
    way = [Step(stage.name, stage.name, stage.ends) for stage in table.object_stages]
    to_wec = [stage for stage in table.wec_stages if stage.begins != ACTIVATED]
    # Some samples of the last stage have no meaning; down-sync ends at the same mark and has all.
    way += [Step(s.name, "downsync" if s.ends == ACTIVATED else s.name, s.ends) for s in to_wec]
    if not any(step.mark == ACTIVATED for step in way):
        way.append(Step("downsync", "downsync", ACTIVATED))
    way.append(Step("workload", "workload", READY))
    way += [Step(stage.name, stage.name, stage.ends) for stage in table.status_stages]
    way += [Step(stage.name, "e2e", stage.ends) for stage in table.final_stages]
    return way


def waterfalls(samples: Samples, table: HopTable) -> list[Waterfall]:
    """A bar per setting. What is fixed of the way to a mark is shown apart; an object that came through sooner rode on
    something already under way and has a shorter one."""
    way = steps(table)
    marks: defaultdict[str, list[str]] = defaultdict(list)
    for step in way:
        marks[step.stage].append(step.mark)
    offsets: defaultdict[Setting, defaultdict[str, array[float]]]
    offsets = defaultdict(lambda: defaultdict(lambda: array("d")))
    started: dict[tuple[str, str, str], int] = {}
    for sample in samples.of_stages("downsync"):
        if sample.start_ns is not None:
            started[sample.trial, sample.namespace, sample.name] = sample.start_ns
    for sample in samples.of_stages(*marks).counted:
        began = started.get((sample.trial, sample.namespace, sample.name))
        if sample.end_ns is not None and began is not None:
            for mark in marks[sample.stage]:
                offsets[sample.setting][mark].append((sample.end_ns - began) / 1e9)
    bars = [_bar(setting, marks_of, way, table) for setting, marks_of in offsets.items()]
    return sorted(bars, key=lambda bar: bar.setting.order)


def _bar(setting: Setting, offsets: Mapping[str, Sequence[float]], way: Sequence[Step], table: HopTable) -> Waterfall:
    segments: list[Segment] = []
    colours = _colours(way)
    at = 0.0
    for step in way:
        fixed = table.manager.hold(step.mark)
        if fixed is not None:
            reached = median(offsets[step.mark]) if offsets.get(step.mark) else at
            end = min(at + fixed.seconds, max(at, reached))
            segments.append(Segment(fixed.name, at, end, FIXED_COLOUR, fixed=True))
            at = end
        if offsets.get(step.mark):
            end = max(at, median(offsets[step.mark]))
            segments.append(Segment(step.name, at, end, colours[step.name]))
            at = end
    return Waterfall(setting, tuple(segments))


def _colours(way: Sequence[Step]) -> dict[str, str]:
    own = [step.name for step in way if step.name not in _COLOURS]
    return _COLOURS | {name: _OTHERS[number % len(_OTHERS)] for number, name in enumerate(own)}


def first_stage(table: HopTable, mark: str) -> str:
    """The stage that begins with the creation and ends at that mark; empty when there is none."""
    found = (s.name for s in table.manager.stages if s.begins == CREATED and s.ends == mark)
    return next(found, "downsync" if mark == ACTIVATED else "")
