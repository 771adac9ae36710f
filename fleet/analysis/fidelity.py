"""How true an open loop was to its schedule: rate offered and achieved, and how late each send was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from fleet.analysis.recorded import Recorded
from fleet.analysis.stats import P99_NEEDS, quantile
from fleet.model.base import Model
from fleet.results.events import Sent

LEAST_ACHIEVED = 0.99
"""Of the offered rate; below it the driver, or the source that it waited for, made another load than was requested."""
MOST_LAG_SECONDS = 0.005
"""Of a send, at its 99th percentile (the largest when there are fewer than 100)."""
RATE_NEEDS = 20
"""Sends: with fewer, one late end moves the rate by more than it is held to."""


class LoadFidelity(Model):
    """One trial of an open loop. Rates in objects per second, lags in seconds."""

    trial: str
    load: str
    sends: int
    offered: float | None
    """Objects less one, over the time from the first scheduled moment to the last; None when that is 0."""
    achieved: float | None
    """The same over the moments at which they were sent."""
    lag_p50: float
    lag_p99: float
    """The largest lag when there are fewer than 100 sends."""
    lag_max: float

    @property
    def share(self) -> float:
        """Achieved over offered; 1 for a load without a rate."""
        return self.achieved / self.offered if self.offered and self.achieved else 1.0

    @property
    def kept_up(self) -> bool:
        """The rate that was made is the rate that was requested."""
        return self.share >= LEAST_ACHIEVED or self.sends < RATE_NEEDS

    @property
    def punctual(self) -> bool:
        """Each send left when it was due."""
        return self.lag_p99 <= MOST_LAG_SECONDS


def measure(trial: str, load: str, sends: Sequence[Sent]) -> LoadFidelity | None:
    """Of the first attempts of one trial; None when nothing was sent."""
    if not sends:
        return None
    scheduled = sorted(sent.scheduled_ns for sent in sends)
    left = sorted(sent.sent_ns for sent in sends)
    lags = sorted((sent.sent_ns - sent.scheduled_ns) / 1e9 for sent in sends)
    return LoadFidelity(
        trial=trial,
        load=load,
        sends=len(sends),
        offered=_rate(scheduled),
        achieved=_rate(left),
        lag_p50=quantile(lags, 0.5),
        lag_p99=quantile(lags, 0.99) if len(lags) >= P99_NEEDS else lags[-1],
        lag_max=lags[-1],
    )


def fidelity(recorded: Recorded) -> list[LoadFidelity]:
    """Every counted trial that had a schedule, in the order in which they ran."""
    by_trial: defaultdict[str, list[Sent]] = defaultdict(list)
    for op, sent in {sent.op: sent for sent in reversed(recorded.sent)}.items():  # first attempts
        by_trial[recorded.trial_of.get(op, "")].append(sent)
    found = [measure(p.trial, p.load, by_trial[p.trial]) for p in recorded.trials if p.load and p.repeat >= 0]
    return [one for one in found if one is not None]


@dataclass(frozen=True)
class Shortfall:
    """Trials of one load in which the driver was behind, and the worst of them."""

    load: str
    trials: int
    worst: LoadFidelity

    def __str__(self) -> str:
        """For the verdict."""
        one = self.worst
        rate = (
            f", sent {one.achieved:.1f} of {one.offered:.1f} objects per second" if one.offered and one.achieved else ""
        )
        return (
            f"{one.trial} ({self.load}){rate}, late by {one.lag_p99 * 1e3:.1f} ms (p99)"
            f"{f'; and {self.trials - 1} more trials' if self.trials > 1 else ''}"
        )


def shortfalls(found: Sequence[LoadFidelity]) -> list[Shortfall]:
    """By load shape: the trials that were behind, in rate or in time."""
    behind = sorted((one for one in found if not (one.kept_up and one.punctual)), key=lambda one: one.load)
    return [
        Shortfall(load, len(trials), max(trials, key=lambda one: (1 - one.share, one.lag_p99)))
        for load, members in groupby(behind, key=lambda one: one.load)
        if (trials := list(members))
    ]


def _rate(moments: Sequence[int]) -> float | None:
    span = (moments[-1] - moments[0]) / 1e9
    return (len(moments) - 1) / span if span > 0 else None
