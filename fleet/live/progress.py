"""How far a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Read off the events."""

    name: str
    number: int
    """Of the trial that is under way, from 1; 0 before the first."""
    trials: int
    text: str
    """What that trial is."""
    step: str
    done: int
    planned: int
    """Samples of that trial."""
    seconds: float
    """Since the run's first line."""

    @property
    def share(self) -> float:
        """Of the whole run, 0 to 1: trials take different times, so it is a guess."""
        part = self.done / self.planned if self.planned else 0.0
        return min(1.0, max(0.0, (self.number - 1 + part) / self.trials)) if self.trials and self.number else 0.0

    def __str__(self) -> str:
        """`trial 3 of 16: one-to-many, 20 WECs, repeat 1: drain, 14 of 25 samples, 2 min 05 s`."""
        minutes, seconds = divmod(round(self.seconds), 60)
        took = f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
        if not self.number:
            return f"{self.step or 'prepare'}, {took}"
        step = f": {self.step}" if self.step else ""
        return f"trial {self.number} of {self.trials}: {self.text}{step}, {self.done} of {self.planned} samples, {took}"
