"""What can be said of a trace in a few lines: how much, how fast, how long, how it ended, and what it cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.stats import quantile
from fleet.model.trace import Header, Pod
from fleet.trace.file import Trace

FIELDS = ("owner", "requests", "priority", "node", "wait", "life", "exit")


@dataclass(frozen=True)
class Spread:
    """Of one field, in seconds."""

    known: int
    p50: float
    p90: float
    largest: float


@dataclass(frozen=True)
class Summary:
    """Of one trace."""

    header: Header
    ends: dict[str, int]
    owners: dict[str, int]
    """Pods by the kind of their owner."""
    rate: float
    """Pods per second over the span."""
    busiest: int
    """Most pods that came in one second."""
    peak: int
    """Most pods that were there at once; one whose end is not known stays."""
    wait: Spread | None
    life: Spread | None
    known: dict[str, int]
    """Of how many pods each field is known."""


def summary(trace: Trace) -> Summary:
    """All of it."""
    pods = trace.pods
    came = Counter(int(pod.t) for pod in pods if not pod.before)
    return Summary(
        header=trace.header,
        ends=dict(Counter(pod.end for pod in pods)),
        owners=dict(Counter(pod.owner.kind if pod.owner else "none" for pod in pods)),
        rate=len(pods) / trace.header.span if trace.header.span else 0.0,
        busiest=max(came.values(), default=0),
        peak=peak(pods),
        wait=_spread([pod.wait for pod in pods if pod.wait is not None]),
        life=_spread([pod.life for pod in pods if pod.life is not None]),
        known={name: sum(1 for pod in pods if getattr(pod, name) not in (None, {})) for name in FIELDS},
    )


def peak(pods: Sequence[Pod]) -> int:
    """Most pods that were there at once. One that ends when another comes is counted with it."""
    steps = [(pod.t, 0, 1) for pod in pods]
    steps += [(pod.t + after, 1, -1) for pod in pods for after in [pod.ends_after] if after is not None]
    most = now = 0
    for _, _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    ascending = sorted(values)
    return Spread(len(ascending), quantile(ascending, 0.5), quantile(ascending, 0.9), ascending[-1])
