"""The setting of a trial: what a run sweeps. Samples of one setting belong together."""

from __future__ import annotations

from typing import NamedTuple

LAYOUTS = ("one-to-one", "one-to-many")
"""In the order in which they are shown."""


class Setting(NamedTuple):
    """A layout over a number of WECs, at a point where the experiment has any."""

    layout: str
    wecs: int
    point: str = ""
    """`policies=5`, `objects=10 bytes=0`; empty where only layout and WECs are swept."""

    def __str__(self) -> str:
        """For a sentence: `one-to-many, 4 WECs, policies=5`."""
        where = f"{self.layout}, {self.wecs} WEC{'s' if self.wecs != 1 else ''}"
        return f"{where}, {self.point}" if self.point else where

    @property
    def order(self) -> tuple[int, int, tuple[float, ...]]:
        """Sorts settings as they are shown: by layout, WECs and the point's numbers."""
        return LAYOUTS.index(self.layout), self.wecs, tuple(values(self.point).values())


def values(point: str) -> dict[str, float]:
    """The numbers of a point by their names, in their order: `{"objects": 10.0, "bytes": 0.0}`."""
    pairs = (part.partition("=") for part in point.split())
    return {name: float(number) for name, _, number in pairs}
