"""The one place where lines of a run arrive: written to the log, joined, tracked; whoever waits is woken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from fleet.errors import MeasurementError
from fleet.observe.quiet import Quiet
from fleet.observe.tracker import Tracker
from fleet.results.events import Anomaly, ClusterState, GapSeen, HopSeen, Line, MarkSeen, RunMark, Seen, WorkloadSeen

BATCH_SECONDS = 0.1
"""Whoever waits looks again at most this often: a burst of a thousand lines is one look, not a thousand."""


class Log(Protocol):
    """Where lines are kept: `fleet.results.eventlog.EventLog`."""

    def append(self, event: Line, /) -> None:
        """Take one line; MeasurementError when it cannot be kept."""

    def sync(self) -> None:
        """Make what was taken durable; MeasurementError when it cannot be."""


class Recorder:
    """Called in the event loop only. After the disk refused once, `failure` is set and `failed` says it."""

    def __init__(self, log: Log, feed: Callable[[Line], object], tracker: Tracker) -> None:
        """`feed` gets every line after it was kept: the join, which knows when a trial is complete."""
        self.tracker = tracker
        self.quiet = Quiet()
        self.failure: MeasurementError | None = None
        self.failed = asyncio.Event()
        self.gaps = 0
        self.down: set[str] = set()
        """Clusters that do not answer now."""
        self._log = log
        self._feed = feed
        self._listeners: list[Callable[[Line], object]] = []
        self._changed = asyncio.Event()

    def record(self, line: Line) -> None:
        """Keep one line. Never raises: a watch must not die because the disk is full."""
        try:
            self._log.append(line)
        except MeasurementError as error:
            self.failure = error
            self.failed.set()
        self._feed(line)
        self.tracker.feed(line)
        match line:
            case Seen():
                if not line.listed or line.gap:
                    self.quiet.note(f"a change of {_kind(line)} in {line.cluster}", line.ns)
            case GapSeen():
                self.gaps += 1
                self.quiet.note(f"a gap of {line.cluster}", line.ns)
            case ClusterState():
                self._state(line)
            case _:
                pass
        for listener in self._listeners:
            listener(line)
        self._changed.set()

    @contextmanager
    def listening(self, listener: Callable[[Line], object]) -> Iterator[None]:
        """Inside it, `listener` gets every line too, and may record some of its own."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def sync(self) -> None:
        """Make the lines durable; may block, so call it in a thread."""
        try:
            self._log.sync()
        except MeasurementError as error:
            self.failure = error

    def mark(self, step: str, edge: str, *, trial: str = "", note: str = "") -> None:
        """A step began or ended, now."""
        self.record(RunMark(ns=time.monotonic_ns(), wall=time.time_ns(), step=step, edge=edge, trial=trial, note=note))

    def anomaly(self, what: str, text: str, *, trial: str = "", cluster: str = "") -> None:
        """Something that the reader of the run must know, now."""
        stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
        self.record(Anomaly(**stamps, what=what, trial=trial, cluster=cluster, text=text))

    async def until(self, true: Callable[[], bool], *, timeout: float) -> bool:  # noqa: ASYNC109 - False is an answer
        """Wait until `true()` says so, looking again after lines arrived; False when `timeout` seconds passed first."""
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that arrives together with the event.
            async with asyncio.timeout(timeout):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
                    await asyncio.sleep(BATCH_SECONDS)
        except TimeoutError:
            return true()
        return True

    def _state(self, line: ClusterState) -> None:
        self.quiet.note(f"{line.cluster} {line.state}", line.ns)
        if line.state == "down":
            self.down.add(line.cluster)
        else:
            self.down.discard(line.cluster)


def _kind(line: Seen) -> str:
    match line:
        case HopSeen():
            return line.resource.partition(".")[0]
        case WorkloadSeen():
            return line.ref.resource
        case MarkSeen():
            return line.resource.partition(".")[0]
        case _:
            return type(line).__name__
