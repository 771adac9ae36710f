"""The setting of a trial: what a run sweeps. Samples of one setting belong together."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")

LAYOUTS = ("one-to-one", "one-to-many")
"""In the order in which they are shown; a trial that distributes nothing has the empty layout, and comes before."""


class Setting(NamedTuple):
    """A layout over a number of WECs, at a point where the experiment has any."""

    layout: str
    wecs: int
    point: str = ""
    """`policies=5`, `objects=10 bytes=0`; empty where only layout and WECs are swept."""

    def __str__(self) -> str:
        """For a sentence: `one-to-many, 4 WECs, policies=5`; without a layout `clusters=10`."""
        if not self.layout:
            return self.point or "all trials"
        where = f"{self.layout}, {self.wecs} WEC{'s' if self.wecs != 1 else ''}"
        return f"{where}, {self.point}" if self.point else where

    @property
    def order(self) -> tuple[int, int, tuple[float, ...], str]:
        """Sorts settings as they are shown: by layout, WECs, the point's numbers and its words."""
        layout = LAYOUTS.index(self.layout) if self.layout in LAYOUTS else -1
        return layout, self.wecs, tuple(values(self.point).values()), self.point


def values(point: str) -> dict[str, float]:
    """The numbers of a point by their names, in their order: `{"objects": 10.0, "bytes": 0.0}`; its words left out."""
    pairs = (part.partition("=") for part in point.split())
    return {name: float(number) for name, _, number in pairs if _NUMBER.fullmatch(number)}
