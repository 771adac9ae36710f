"""What a manager's own package adds to the analysis of a run: least times by its rate limits, what a link must cost.

A run of a manager whose package is not here is analysed without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from fleet.analysis.own import own_module
from fleet.model.base import Model

if TYPE_CHECKING:
    from fleet.analysis.recorded import Recorded
    from fleet.analysis.summary import Row
    from fleet.results.run import RunRecord

PACKAGES = "fleet.managers"


@dataclass(frozen=True)
class Burden:
    """What one trial asks of a source."""

    layout: str
    wecs: int
    policies: int
    """Of the source that has most of them."""
    objects: int
    """Per policy."""
    returns: bool
    """Statuses come back to the source."""


class Floor(NamedTuple):
    """Least seconds by one limit."""

    limit: str
    """Whose it is, for a sentence: `the scheduler on the hub`."""
    short: str
    """Head of its column."""
    seconds: float


@dataclass(frozen=True)
class Floors:
    """Of one trial; buckets work side by side, so the slowest decides."""

    each: tuple[Floor, ...]
    fixed: float
    """Seconds that pass whatever the limits are."""
    status: float | None
    """Least seconds until all statuses are back, `fixed` left out; None where none comes back."""


@dataclass(frozen=True)
class LinkTheory:
    """Where a manager's objects cross the link between hub and WECs."""

    stage: str
    """The one that crosses it."""
    hears: float
    """Round trips until the WEC's agent hears of an object."""
    asks: float
    """Round trips from its request to the hub until it goes on. One object at a time asks."""
    elsewhere: frozenset[str]
    """Stages that do not cross."""
    crossing: frozenset[str]
    """Stages that take as long as `stage`."""
    text: str
    """For the report: what is expected, and why."""


class Theory(Protocol):
    """`THEORY` of the module `theory` of a manager's package."""

    limits_text: str
    """For the report: what the floors are made of."""
    link: LinkTheory | None

    def floors(self, burden: Burden, limits: Mapping[str, float]) -> Floors | None:
        """None where the limits do not say enough."""
        ...

    def sharing(self, run: RunRecord, recorded: Recorded, rows: Sequence[Row]) -> Sequence[Model]:
        """Rows about sources that share a transport; none for other runs."""
        ...


def theory_of(manager: str) -> Theory | None:
    """The theory of that manager, if its package is here and has one."""
    module = own_module(PACKAGES, manager, "theory")
    return None if module is None else cast("Theory", module.THEORY)
