"""Which trials are past: their objects are gone from every cluster, and a whole trial has come since. Pure.

What is known of their objects can then be put away, because no line is about them any more: one that was on its way
when the last watch said that they were gone has had all of that trial to arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from fleet.results.events import Anomaly, ClusterState, Line, RunMark, TrialPlan

What = TypeVar("What")

CLEAN = "clean"
"""The step that deletes the objects of a trial and waits until they are gone."""
LEFT = "not-clean"
"""The anomaly of a trial of which something stayed."""


class PastTrials:
    """Feed it every line in the order of arrival."""

    def __init__(self) -> None:
        self._here: list[str] = []
        """Trials that are not past, in their order."""
        self._clean: set[str] = set()
        self._left: set[str] = set()
        self._down: set[str] = set()
        """Clusters that do not answer now: nobody knows what they still have."""

    def feed(self, line: Line) -> Sequence[str]:
        """Take one line; the trials that are past from now on."""
        match line:
            case TrialPlan():
                return self._begin(line.trial)
            case RunMark() if (line.step, line.edge, line.note) == (CLEAN, "end", ""):
                self._clean.add(line.trial)
            case Anomaly() if line.what == LEFT:
                self._left.add(line.trial)
            case ClusterState():
                (self._down.add if line.state == "down" else self._down.discard)(line.cluster)
            case _:
                pass
        return ()

    def _begin(self, trial: str) -> Sequence[str]:
        gone = () if self._down else [name for name in self._here[:-1] if name in self._clean - self._left]
        self._here = [*(name for name in self._here if name not in gone), trial]
        return gone


class Deleted(Generic[What]):
    """What was deleted, until a whole trial has come since: then nobody need know it any longer."""

    def __init__(self) -> None:
        self._lately: list[What] = []
        self._before: list[What] = []

    def add(self, what: What) -> None:
        """It was deleted now."""
        self._lately.append(what)

    def old(self, line: Line) -> Sequence[What]:
        """Those that need not be known from this line on."""
        if not isinstance(line, TrialPlan):
            return ()
        old, self._before, self._lately = self._before, self._lately, []
        return old
