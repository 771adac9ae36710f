"""Where the time of the median object goes: medians of the marks since T0, cut into segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fleet.analysis.prediction import HOLD_BACK_SECONDS
from fleet.analysis.samples import Sample, Setting

SEGMENTS = (
    ("hold-back", "", ""),
    ("binding", "binding", "bound"),
    ("packaging", "packaging", "packaged"),
    ("delivery", "delivery", "delivered"),
    ("activation", "downsync", "activated"),
    ("workload", "workload", "ready"),
    ("report", "report", "reported"),
    ("finalization", "e2e", "finalized"),
)
"""Segment, the stage that ends with its last mark, that mark."""

SEGMENT_COLOURS = {
    "hold-back": "#b0b0b0",
    "binding": "#56b4e9",
    "packaging": "#0072b2",
    "delivery": "#009e73",
    "activation": "#8fbc3f",
    "workload": "#e69f00",
    "report": "#d55e00",
    "finalization": "#cc79a7",
}


@dataclass(frozen=True)
class Segment:
    """A stretch of the bar; seconds since T0."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Waterfall:
    """One setting."""

    setting: Setting
    segments: tuple[Segment, ...]

    @property
    def end(self) -> float:
        """Seconds to its last mark."""
        return self.segments[-1].end if self.segments else 0.0


def waterfalls(samples: Sequence[Sample]) -> list[Waterfall]:
    """A bar per setting. The first 2 s of a binding are KubeStellar's fixed hold-back, shown apart; an
    object that came through sooner rode on a sync already under way and has a shorter one."""
    offsets: defaultdict[Setting, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    started: dict[tuple[str, str, str], int] = {}
    for sample in samples:
        if sample.stage == "binding" and sample.start_ns is not None:
            started[sample.trial, sample.namespace, sample.name] = sample.start_ns
    marks = {stage: mark for _, stage, mark in SEGMENTS if stage}
    for sample in samples:
        mark = marks.get(sample.stage)
        began = started.get((sample.trial, sample.namespace, sample.name))
        if mark and sample.counted and sample.end_ns is not None and began is not None:
            offsets[sample.setting][mark].append((sample.end_ns - began) / 1e9)
    bars = [_bar(setting, marks_of) for setting, marks_of in offsets.items()]
    return sorted(bars, key=lambda bar: bar.setting.order)


def _bar(setting: Setting, offsets: Mapping[str, Sequence[float]]) -> Waterfall:
    segments: list[Segment] = []
    at = 0.0
    for name, _, mark in SEGMENTS:
        if name == "hold-back":
            bound = median(offsets["bound"]) if offsets.get("bound") else 0.0
            end = min(HOLD_BACK_SECONDS, bound)
        elif offsets.get(mark):
            end = max(at, median(offsets[mark]))
        else:
            continue
        segments.append(Segment(name, at, end))
        at = end
    return Waterfall(setting, tuple(segments))
