"""A section of the report that only some runs have: a heading, what there is to say, and a table or drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.report.figures import Drawing
from fleet.report.tables import EMPTY, Table


@dataclass(frozen=True)
class Section:
    """A heading, what there is to say, and a table or drawings."""

    anchor: str
    title: str
    lines: Sequence[str]
    table: Table = EMPTY
    figures: Sequence[Drawing] = ()
