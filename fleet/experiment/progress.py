"""What a run reports while it goes: a small Protocol, and the one that says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class RunProgress(Protocol):
    """Called from the run's event loop; must not block. `fleet.experiment.console` has the two that people see."""

    def begin(self, folder: Path, trials: int) -> None:
        """The run folder exists; so many trials follow."""

    def trial(self, number: int, text: str) -> None:
        """Trial `number` (counts from 1) begins."""

    def step(self, name: str) -> None:
        """A step of the trial, or of the run, begins."""

    def marks(self, done: int, total: int) -> None:
        """So many of the trial's marks were seen."""

    def note(self, text: str) -> None:
        """Something that a person should read now."""

    def end(self, text: str) -> None:
        """The run is over; `text` is its verdict."""


class Silent:
    """Says nothing."""

    def begin(self, folder: Path, trials: int) -> None:
        """Nothing."""

    def trial(self, number: int, text: str) -> None:
        """Nothing."""

    def step(self, name: str) -> None:
        """Nothing."""

    def marks(self, done: int, total: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def end(self, text: str) -> None:
        """Nothing."""
