"""Which program grows for as long as it is watched: memory, descriptors, goroutines, heap after collection, etcd.

Each series is judged by `fleet.analysis.trend`; growth that is a share of the level but next to nothing in itself
(three descriptors) is no leak. A heap is judged by its lower envelope, close to what is left after each collection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import Field

from fleet.analysis.recorded import Recorded
from fleet.analysis.resources import Usage
from fleet.analysis.trend import POINTS_NEEDED, Point, Rules, Trend, judge, lower_envelope
from fleet.model.base import Model
from fleet.model.leak_rules import LeakRules
from fleet.results.events import MetricSample

MIB = 1 << 20
ENVELOPE_SECONDS = 20.0
"""A busy Go program collects at least about that often; the least value in such a window is close to the live heap."""


@dataclass(frozen=True)
class Quantity:
    """Something that may leak."""

    name: str
    unit: str
    least: float
    """Growth over the run, in its unit, below which nothing is called a leak."""
    scale: float = 1.0
    """What a value is divided by to be in its unit."""
    shortest: float = 0.0
    """Seconds that it must be watched at least."""
    envelope: bool = False


RSS = Quantity("resident memory", "MiB", 1.0, MIB)
FDS = Quantity("descriptors", "", 5.0)
METRICS: Mapping[str, Quantity] = {
    "go_goroutines": Quantity("goroutines", "", 10.0),
    "go_memstats_heap_alloc_bytes": Quantity("heap after collection", "MiB", 1.0, MIB, envelope=True),
    # The API server compacts every 5 minutes; before, every write makes the store larger.
    "apiserver_storage_size_bytes": Quantity("etcd size", "MiB", 8.0, MIB, shortest=900.0),
}
"""By the name of the metric."""


class Leak(Model):
    """One quantity of one program, judged; values in `unit`."""

    program: str
    quantity: str
    unit: str
    verdict: str
    """leaking, steady, or too short to tell."""
    reason: str
    level: float
    """Median of the first third after the warm-up."""
    last: float
    """Median of the last third."""
    per_hour: float
    low: float
    high: float
    """95 % interval of the slope per hour."""
    per_object: float | None = None
    """Growth per object that the run sent meanwhile."""
    sites: list[tuple[str, int]] = Field(default_factory=list)
    """Where a leaking program allocates, and how much more its last profile has there: bytes, or goroutines."""

    def __str__(self) -> str:
        """For the verdict."""
        each = (
            ""
            if self.per_object is None
            else f", {self.per_object * _small(self.unit):.3g} {_smaller(self.unit)} per object"
        )
        return (
            f"{self.program} leaks {self.quantity}: {self.per_hour:+.3g} {self.unit or 'more'} per hour "
            f"({self.low:+.3g} to {self.high:+.3g}){each}; {self.reason}{self._grown()}"
        )

    def _grown(self) -> str:
        told = ", ".join(f"{site} {self.amount(more)}" for site, more in self.sites)
        return f"; most in {told}" if told else ""

    def amount(self, more: int) -> str:
        """What one of `sites` has more."""
        return f"{more:+d}" if self.quantity == "goroutines" else f"{more / 1024:+.0f} KiB"


def leaks(recorded: Recorded, usages: Sequence[Usage], rules: LeakRules) -> list[Leak]:
    """Every series while the load was under way, leaking ones first, then by program."""
    begin, end = (_seconds(ns, recorded) for ns in window_of(recorded))
    found = [
        _judged(program, quantity, [point for point in points if begin <= point[0] <= end], recorded, rules)
        for program, quantity, points in (*_programs(usages), *_metrics(recorded))
    ]
    order = {"leaking": 0, "too short to tell": 1, "steady": 2}
    return sorted(found, key=lambda leak: (order[leak.verdict], leak.program, leak.quantity))


def window_of(recorded: Recorded) -> tuple[int, int]:
    """From the first counted load's begin to its last send, nanoseconds; everything where none was counted.

    Settling, waiting for the last to complete and cleaning are other work: what grows or shrinks there, or stands
    still, would bend the trend.
    """
    spans = [recorded.span(plan) for plan in recorded.trials if plan.repeat >= 0]
    if not spans:
        return recorded.first_ns, recorded.last_ns
    begin, end = min(begin for begin, _ in spans), max(end for _, end in spans)
    return begin, max((sent.ns for sent in recorded.sent if begin < sent.ns <= end), default=end)


def _seconds(ns: int, recorded: Recorded) -> float:
    """Since the first line of the run."""
    return (ns - recorded.first_ns) / 1e9


def _programs(usages: Sequence[Usage]) -> Iterator[tuple[str, Quantity, list[Point]]]:
    """Of each program the process that was watched longest: one that was started again begins again."""
    series: defaultdict[tuple[str, str], dict[int, list[Usage]]] = defaultdict(dict)
    for usage in usages:
        series[usage.machine, usage.program].setdefault(usage.pid, []).append(usage)
    for (_, program), processes in series.items():
        longest = max(processes.values(), key=len)
        yield program, RSS, [(usage.seconds, usage.rss_bytes / RSS.scale) for usage in longest]
        yield program, FDS, [(usage.seconds, float(usage.fds)) for usage in longest]


def _metrics(recorded: Recorded) -> Iterator[tuple[str, Quantity, list[Point]]]:
    """A series has a line when it changes: between, it has its last value. Looked at as often as programs are
    measured."""
    series: defaultdict[tuple[str, str, str], list[MetricSample]] = defaultdict(list)
    for sample in recorded.metrics:
        if sample.name in METRICS:
            series[sample.component, sample.cluster, sample.name].append(sample)
    moments = _moments(recorded)
    for (component, cluster, name), samples in series.items():
        times, quantity = [sample.ns for sample in samples], METRICS[name]
        points = [
            (_seconds(at, recorded), samples[bisect_right(times, at) - 1].value / quantity.scale)
            for at in moments
            if at >= times[0]
        ]
        program = f"{component}.{cluster}" if cluster else component
        yield program, quantity, lower_envelope(points, ENVELOPE_SECONDS) if quantity.envelope else points


def _moments(recorded: Recorded) -> list[int]:
    counts: defaultdict[str, list[int]] = defaultdict(list)
    for sample in recorded.processes:
        counts[sample.program].append(sample.ns)
    return max(counts.values(), key=len, default=[])


def _judged(program: str, quantity: Quantity, points: Sequence[Point], recorded: Recorded, rules: LeakRules) -> Leak:
    trend = judge(points, Rules(least=rules.least, warmup=rules.warmup))
    verdict, reason = _verdict(trend, quantity, rules)
    grown = trend.slope * trend.seconds
    sent = _sent_within(recorded, trend.seconds)
    return Leak(
        program=program,
        quantity=quantity.name,
        unit=quantity.unit,
        verdict=verdict,
        reason=reason,
        level=trend.level,
        last=trend.last,
        per_hour=trend.slope * 3600,
        low=trend.slope_low * 3600,
        high=trend.slope_high * 3600,
        per_object=grown / sent if sent else None,
    )


def _verdict(trend: Trend, quantity: Quantity, rules: LeakRules) -> tuple[str, str]:
    shortest = max(rules.shortest, quantity.shortest)
    if trend.seconds < shortest:
        return "too short to tell", f"watched for {trend.seconds:.0f} s, {shortest:.0f} s are needed"
    if trend.verdict != "steady" and trend.points >= POINTS_NEEDED and abs(trend.last - trend.level) < quantity.least:
        return "steady", f"{trend.reason}, but less than {quantity.least:g} {quantity.unit}".rstrip()
    return trend.verdict, trend.reason


def _sent_within(recorded: Recorded, seconds: float) -> int:
    """Objects that were taken in the last so many seconds of the load."""
    taken = [sent.ns for sent in recorded.sent if HTTPStatus.OK <= sent.code < HTTPStatus.MULTIPLE_CHOICES]
    return sum(1 for ns in taken if ns >= max(taken) - seconds * 1e9)


def _small(unit: str) -> float:
    return 1024.0 if unit == "MiB" else 1.0


def _smaller(unit: str) -> str:
    return "KiB" if unit == "MiB" else unit
