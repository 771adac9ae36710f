"""The steps of each counted series: what the client reported of them, and what the programs took."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.analysis.counters import Counter, rises
from fleet.analysis.recorded import Recorded
from fleet.model.base import Model
from fleet.results.events import TrialPlan

API_SERVER, STORE, CLIENT, STREAMER = "api-server", "etcd", "client", "streaming-server"
"""Roles of programs."""
WINDOW = "window"
"""Its marks have the number of watches as their note."""
TERMINATED = "apiserver_terminated_watchers_total"
PODS = "pods"
DISPATCHED = "apiserver_watch_cache_events_dispatched_total"


class Latency(Model, extra="ignore"):
    """Milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float


class Told(Model, extra="ignore"):
    """A line `step` of the client; its fields are in the Go package `watching`."""

    watches: int
    open: int
    ended: int
    refused: int
    why: str
    connections: int
    seconds: float
    changes: int
    rejected: int
    expected: int
    received: int
    late: int
    bytes: int
    delivery: Latency
    spread: Latency
    """From the first line of a change at any watch to each of its lines."""
    write: Latency
    p99: float | None
    """Of all lines that had to come; None when more than a hundredth never did."""
    limit: str

    @property
    def rate(self) -> float:
        """Lines per second that had to come."""
        return self.expected / self.seconds

    @property
    def lost(self) -> int:
        """Lines that never came."""
        return max(0, self.expected - self.received)


@dataclass(frozen=True)
class Step:
    """One window."""

    told: Told
    cpu: Mapping[str, float]
    """Cores, by role."""
    pss: Mapping[str, float]
    """Bytes, by role."""
    terminated: float
    """Watches that the API server says it threw off, since the series began: most go while others are being opened."""
    dispatched: float | None
    """Events of pods per second that its watch cache says it dispatched, whatever the number of its watches: a live run
    showed 19.5 at 10 changes a second. None when it was not read."""


@dataclass(frozen=True)
class Series:
    """One counted trial."""

    plan: TrialPlan
    steps: Sequence[Step]

    @property
    def good(self) -> Sequence[Step]:
        """Those within every limit."""
        return [step for step in self.steps if not step.told.limit]

    @property
    def limit(self) -> Step | None:
        """The step that passed one; None when the series ended at `most`."""
        last = self.steps[-1] if self.steps else None
        return last if last is not None and last.told.limit else None

    @property
    def words(self) -> Mapping[str, str]:
        """What its point says, by name."""
        return {name: value for name, _, value in (part.partition("=") for part in self.plan.point.split())}

    @property
    def shape(self) -> tuple[str, ...]:
        """What its ceiling has alike."""
        return tuple(self.words.get(name, "") for name in ("protocol", "per_connection", "rate"))

    @property
    def of_client(self) -> bool:
        """It was a series against the server that only streams."""
        return self.words.get("server") == "stream"


def series(recorded: Recorded, folder: Path) -> list[Series]:
    """Every counted trial that has a step, in the order of the run."""
    weights: defaultdict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for one in recorded.measured:
        if "watches" in one.of:
            weights[one.trial, one.of["watches"], one.name][one.of["program"]] = one.value
    found = []
    for plan in recorded.trials:
        if plan.repeat < 0:
            continue
        windows = _windows(recorded, plan.trial)
        first = min((one.ns for one in recorded.metrics if one.ns >= plan.ns), default=plan.ns)
        steps = []
        for told in _told(folder / "raw" / f"{plan.trial}-watch.jsonl"):
            key = str(told.watches)
            begin, end = windows.get(key, (0, 0))
            risen = rises(recorded.metrics, (begin, end))
            thrown = _sum(rises(recorded.metrics, (first, end)), TERMINATED)
            rate = _sum(risen, DISPATCHED, resource=PODS) * 1e9 / (end - begin) if end > begin else None
            steps.append(
                Step(told, weights[plan.trial, key, "cpu"], weights[plan.trial, key, "pss"], thrown, rate)
            )  # fmt: skip
        if steps:
            found.append(Series(plan, steps))
    return found


def _told(file: Path) -> Iterator[Told]:
    """Of a client that was cut off, what it had reported."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        if value.get("event") == "step":
            yield Told.model_validate(value)


def _windows(recorded: Recorded, trial: str) -> dict[str, tuple[int, int]]:
    """Begin and end by the number of watches, nanoseconds."""
    begun = {one.note: one.ns for one in recorded.marks if (one.step, one.edge, one.trial) == (WINDOW, "begin", trial)}
    ended = {one.note: one.ns for one in recorded.marks if (one.step, one.edge, one.trial) == (WINDOW, "end", trial)}
    return {note: (begun[note], ended[note]) for note in begun.keys() & ended.keys()}


def _sum(risen: Mapping[Counter, float], name: str, **labels: str) -> float:
    return sum(
        value
        for key, value in risen.items()
        if key.name == name and all(key.label(label) == wanted for label, wanted in labels.items())
    )
