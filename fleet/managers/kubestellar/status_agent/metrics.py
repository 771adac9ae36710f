"""Counters of the agent, and their Prometheus text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the latency histogram, seconds."""
PREFIX = "fleet_status_agent_"


@dataclass(slots=True)
class Histogram:
    """A Prometheus histogram over `BUCKETS`."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def lines(self, name: str) -> Iterable[str]:
        """The text lines: cumulative buckets, sum and count."""
        seen = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.counts, strict=True):
            seen += count
            yield f'{name}_bucket{{le="{bound}"}} {seen}'
        yield f"{name}_sum {self.total:.6f}"
        yield f"{name}_count {seen}"


@dataclass(slots=True)
class WecCounters:
    """What one WEC's agent did since it was first started; survives a restart of that agent."""

    creates: int = 0
    status_writes: int = 0
    label_writes: int = 0
    deletes: int = 0
    skipped_equal: int = 0
    conflicts: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class WecGauges:
    """The present state of one WEC's agent."""

    queue_depth: int
    unfinished: int
    objects: int
    watches: int
    hub_wait_seconds: float
    local_wait_seconds: float
    hub_requests: int
    local_requests: int
    retries: int
    ready: bool


_COUNTERS = (
    ("creates", "work_status_creates_total", "WorkStatus objects created"),
    ("status_writes", "work_status_writes_total", "Writes of a WorkStatus status"),
    ("label_writes", "work_status_label_writes_total", "Writes of a WorkStatus label"),
    ("deletes", "work_status_deletes_total", "WorkStatus objects deleted"),
    ("skipped_equal", "skipped_equal_total", "Events that requested no write"),
    ("conflicts", "conflicts_total", "Writes refused with 409 and read again"),
    ("restarts", "restarts_total", "Restarts of a WEC's agent after a failure"),
)
_GAUGES = (
    ("queue_depth", "queue_depth", "gauge", "Objects that wait for a worker"),
    ("unfinished", "unfinished", "gauge", "Objects waiting, being written or backing off"),
    ("objects", "objects", "gauge", "Objects that are reported"),
    ("watches", "watches", "gauge", "Open kinds, the AppliedManifestWorks included"),
    ("hub_wait_seconds", "hub_limiter_wait_seconds_total", "counter", "Time in the hub's client-side limiter"),
    ("local_wait_seconds", "local_limiter_wait_seconds_total", "counter", "Time in the WEC's client-side limiter"),
    ("hub_requests", "hub_requests_total", "counter", "Requests to the hub"),
    ("local_requests", "local_requests_total", "counter", "Requests to the WEC"),
    ("retries", "retries_total", "counter", "Handlings put off after a failure"),
    ("ready", "ready", "gauge", "1 once all kinds of the WEC are listed"),
)


@dataclass(slots=True)
class Metrics:
    """All numbers of the process."""

    wecs: dict[str, WecCounters] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    """Watch receipt of an event in the WEC to the answer of the status write on the hub, seconds."""

    def of(self, wec: str) -> WecCounters:
        """The counters of that WEC, made when new."""
        return self.wecs.setdefault(wec, WecCounters())


def render(metrics: Metrics, gauges: dict[str, WecGauges]) -> str:
    """Prometheus' text format, version 0.0.4; WEC names are RFC 1123 labels and need no escaping."""
    lines: list[str] = []
    for attribute, name, text in _COUNTERS:
        lines += [f"# HELP {PREFIX}{name} {text}", f"# TYPE {PREFIX}{name} counter"]
        lines += [
            f'{PREFIX}{name}{{wec="{wec}"}} {getattr(counters, attribute)}'
            for wec, counters in sorted(metrics.wecs.items())
        ]
    for attribute, name, kind, text in _GAUGES:
        lines += [f"# HELP {PREFIX}{name} {text}", f"# TYPE {PREFIX}{name} {kind}"]
        for wec, gauge in sorted(gauges.items()):
            value = getattr(gauge, attribute)
            shown = f"{value:.6f}" if isinstance(value, float) else str(int(value))
            lines.append(f'{PREFIX}{name}{{wec="{wec}"}} {shown}')
    name = f"{PREFIX}event_to_write_seconds"
    lines += [f"# HELP {name} Watch receipt to status written", f"# TYPE {name} histogram"]
    lines += metrics.latency.lines(name)
    return "\n".join(lines) + "\n"
