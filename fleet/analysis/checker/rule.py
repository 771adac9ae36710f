"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pydantic import Field

from fleet.analysis.history import History
from fleet.model.base import Model
from fleet.results.events import Line


class Finding(Model):
    """One place of a run's history that breaks a rule."""

    rule: str
    text: str
    """A sentence: what, where, when (seconds since the run's first line)."""
    trial: str = ""
    cluster: str = ""
    object: str = ""
    """`plural/namespace/name`."""
    lines: list[int] = Field(default_factory=list)
    """Numbers of the lines of events.jsonl that show it, from 1."""
    ops: list[str] = Field(default_factory=list)
    """Op-ids of the objects that it is about: every line of theirs belongs to a reproduction."""
    uids: list[str] = Field(default_factory=list)
    """The same, of objects that carry no op-id of their own."""


class Rule(Protocol):
    """One rule; made for one run with what is known of all of it, and fed every line in the order of arrival."""

    @property
    def name(self) -> str:
        """A word for tables and folders."""
        ...

    @property
    def says(self) -> str:
        """What must hold, as a sentence, with what it does not judge."""
        ...

    def feed(self, number: int, line: Line) -> None:
        """Take one line; `history` has it already."""
        ...

    def findings(self) -> Iterator[Finding]:
        """After the last line."""
        ...


def about(rule: Rule, history: History, op: str, cluster: str, *, text: str, lines: Iterable[int | None]) -> Finding:
    """What a rule finds of one object in one cluster; of `lines`, each that there is, once, in their order."""
    return Finding(
        rule=rule.name,
        text=text,
        trial=history.planned[op].trial,
        cluster=cluster,
        object=history.name(op),
        lines=sorted({line for line in lines if line}),
        ops=[op],
    )


class OfHistory:
    """A rule that needs no more than what the history keeps."""

    def __init__(self, history: History) -> None:
        self.history = history

    def feed(self, number: int, line: Line) -> None:
        """Nothing: the history has it."""
