"""The phases of a run over time: its steps, with the trial that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.analysis.recorded import Recorded


@dataclass(frozen=True)
class Phase:
    """One step; seconds since the run's first line."""

    name: str
    trial: str
    """Empty for a step of the run."""
    start: float
    end: float
    """Of a step that has not ended: where the events end."""

    def __str__(self) -> str:
        """`load of one-to-one-20-0, 12.0 to 14.5 s`."""
        of = f" of {self.trial}" if self.trial else ""
        return f"{self.name}{of}, {self.start:.1f} to {self.end:.1f} s"


def phases(recorded: Recorded) -> list[Phase]:
    """By their begin. A step that holds others (`trial` around `load`) is left out: its parts say more."""
    open_: dict[tuple[str, str], int] = {}
    found: list[tuple[int, int, str, str]] = []
    for mark in recorded.marks:
        key = (mark.step, mark.trial)
        if mark.edge == "begin":
            open_[key] = mark.ns
        elif key in open_:
            found.append((open_.pop(key), mark.ns, *key))
    found += [(begin, recorded.last_ns, *key) for key, begin in open_.items()]
    found.sort(key=lambda one: (one[0], -one[1]))
    # After this order a step that holds the next one stands right before it.
    inner = [
        one for number, one in enumerate(found)
        if number + 1 == len(found) or not (found[number + 1][0] < one[1] and found[number + 1][1] <= one[1])
    ]  # fmt: skip
    first = recorded.first_ns
    return [Phase(step, trial, (begin - first) / 1e9, (end - first) / 1e9) for begin, end, step, trial in inner]
