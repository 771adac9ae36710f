"""By how much counters rose in a trial, and how high gauges went, from scraped metrics; a series is written when it
has changed, so what is not there has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleet.analysis.recorded import Recorded
from fleet.results.events import MetricSample


@dataclass(frozen=True, order=True, slots=True)
class Counter:
    """One series of one program's page."""

    component: str
    cluster: str
    name: str
    labels: str
    """`a=b,c=d`, in the order of their names."""

    def label(self, name: str) -> str:
        """The value of one label; empty when it has none of that name."""
        begins = f"{name}="
        return next((part.removeprefix(begins) for part in self.labels.split(",") if part.startswith(begins)), "")


Span = tuple[int, int]
"""Begin and end, nanoseconds of the driver's clock."""


def rises(metrics: Iterable[MetricSample], span: Span) -> dict[Counter, float]:
    """Of every series the sum of its rises in the span: from its last value at or before the begin, up to the end.

    A series without an earlier value began at 0: a counter comes into being when it first counts. One that falls was
    started again at 0. One that did not rise is there with 0.
    """
    begin, end = span
    last: dict[Counter, float] = {}
    found: dict[Counter, float] = {}
    for sample in metrics:
        if sample.ns > end:
            continue
        key = Counter(sample.component, sample.cluster, sample.name, sample.labels)
        before = last.get(key, 0.0)
        last[key] = sample.value
        rise = sample.value - before if sample.value >= before else sample.value
        found[key] = found.get(key, 0.0) + (rise if sample.ns > begin else 0.0)
    return found


def peaks(metrics: Iterable[MetricSample], span: Span) -> dict[Counter, float]:
    """The largest value of every series in the span, or the one that it had when the span began."""
    begin, end = span
    found: dict[Counter, float] = {}
    for sample in metrics:
        if sample.ns > end:
            continue
        key = Counter(sample.component, sample.cluster, sample.name, sample.labels)
        found[key] = sample.value if sample.ns <= begin else max(sample.value, found.get(key, sample.value))
    return found


def levels(metrics: Iterable[MetricSample], ns: int) -> dict[Counter, float]:
    """The value of every series at a moment: the last one that was read by then."""
    return {
        Counter(sample.component, sample.cluster, sample.name, sample.labels): sample.value
        for sample in metrics
        if sample.ns <= ns
    }


def spans(recorded: Recorded, step: str) -> dict[str, Span]:
    """Where a step of each counted trial lies; a trial that never ended it is left out."""
    counted = {plan.trial for plan in recorded.trials if plan.repeat >= 0}
    begun: dict[str, int] = {}
    found: dict[str, Span] = {}
    for mark in recorded.marks:
        if mark.step != step or mark.trial not in counted:
            continue
        if mark.edge == "begin":
            begun[mark.trial] = mark.ns
        elif mark.trial in begun:
            found[mark.trial] = (begun[mark.trial], mark.ns)
    return found


def by_point(recorded: Recorded, found: Mapping[str, Span]) -> Iterator[tuple[str, str, Span]]:
    """Point, trial and span, in the order of the trials."""
    for plan in recorded.trials:
        if plan.trial in found:
            yield plan.point, plan.trial, found[plan.trial]
