"""The join: from watch lines to the marks T0..T8 of every object in every WEC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from fleet.results.events import Line


@dataclass(frozen=True)
class Progress:
    """How far a trial is: per mark (`created`, `bound`, ... `finalized`) how many of how many were seen."""

    done: Mapping[str, int]
    total: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Every mark of every object was seen; False for a trial of which nothing is planned."""
        return bool(self.total) and all(self.done[mark] >= wanted for mark, wanted in self.total.items())


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One latency: a stage of one object, in one WEC where `cluster` is named. Times are the driver's, nanoseconds."""

    trial: str
    repeat: int
    """-1 for a warm-up."""
    layout: str
    wecs: int
    policy: str
    kind: str
    namespace: str
    name: str
    cluster: str
    """Empty for a stage that is one sample per object."""
    stage: str
    start_ns: int | None
    end_ns: int | None
    """None when missing."""
    seconds: float | None
    server_seconds: float | None
    """From the API servers' whole-second stamps, where both ends have one."""
    flags: tuple[str, ...]
    """`missing`, `late`, `negative`, `listed`, `gap`, `cluster-down`, `warmup`, ... in the order of their names."""


class Join:
    """Feed it every line in the order of arrival; ask it at any time what is known.

    `wds` is the cluster whose workload lines are the originals; every other cluster's are WECs. `object_timeout`
    (seconds from a trial's first send) is what makes a sample `late`.
    """

    def __init__(self, *, wds: str = "wds1", object_timeout: float | None = None) -> None:
        self.wds = wds
        self.object_timeout = object_timeout

    def feed(self, event: Line) -> None:
        """Take one line. Amortised constant time; lines of other people's objects are passed over."""
        raise NotImplementedError

    def complete(self, trial: str) -> bool:
        """Every mark of every planned object of the trial was seen."""
        raise NotImplementedError

    def progress(self, trial: str) -> Progress:
        """Counts per mark; empty for an unknown trial."""
        raise NotImplementedError

    def samples(self) -> list[Sample]:
        """Every sample of every trial so far, missing ones included, in the order of planning."""
        raise NotImplementedError
