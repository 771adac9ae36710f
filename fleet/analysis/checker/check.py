"""Checks the history of a run by all rules, in one pass over its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleet.analysis.checker.backwards import Backwards
from fleet.analysis.checker.converges import Converges
from fleet.analysis.checker.deleted import Deleted
from fleet.analysis.checker.lost import Lost
from fleet.analysis.checker.misdelivered import Misdelivered
from fleet.analysis.checker.once import Once
from fleet.analysis.checker.rule import Finding, Rule
from fleet.analysis.checker.status_owner import StatusOwner
from fleet.analysis.checker.watch_order import WatchOrder
from fleet.analysis.history import History
from fleet.results.eventlog import EventReading
from fleet.results.events import Line
from fleet.results.run import RunRecord


def rules(history: History, bound: float | None = None) -> tuple[Rule, ...]:
    """Every rule, made for one run: this list is the registration. `bound` (seconds) is that of `converges`."""
    return (
        Lost(history),
        Once(history),
        Misdelivered(history),
        Backwards(history),
        Deleted(history),
        StatusOwner(history),
        Converges(history, bound),
        WatchOrder(history),
    )


@dataclass(frozen=True)
class Checked:
    """What the checker says of a run."""

    findings: tuple[Finding, ...]
    objects: int
    """Planned ones that a source had accepted."""
    pairs: int
    """The same, counted in each WEC that must get one."""
    lines: int
    says: dict[str, str]
    """By rule: what must hold."""

    @property
    def counts(self) -> dict[str, int]:
        """Findings by rule, rules without any among them."""
        return {name: sum(1 for one in self.findings if one.rule == name) for name in self.says}


class Checker:
    """Feed it every line in the order of arrival, with its number from 1."""

    def __init__(self, history: History, bound: float | None = None) -> None:
        """`history` is an empty one, of the run's manager; the checker feeds it."""
        self.history = history
        self._rules = rules(history, bound)
        self._lines = 0

    @classmethod
    def of(cls, record: RunRecord, bound: float | None = None) -> Checker:
        """For a run."""
        timeouts = record.spec.timeouts
        return cls(History.of(record.manager, record.source, timeouts.object, timeouts.clean), bound)

    def feed(self, number: int, line: Line) -> None:
        """Take one line."""
        self._lines += 1
        self.history.feed(number, line)
        for rule in self._rules:
            rule.feed(number, line)

    def checked(self) -> Checked:
        """After the last line. Findings in the order of the rules."""
        history = self.history
        accepted = [planned for op, planned in history.planned.items() if op in history.accepted]
        return Checked(
            findings=tuple(finding for rule in self._rules for finding in rule.findings()),
            objects=len(accepted),
            pairs=sum(len(planned.clusters) for planned in accepted),
            lines=self._lines,
            says={rule.name: rule.says for rule in self._rules},
        )


def check(record: RunRecord, reading: EventReading, bound: float | None = None) -> Checked:
    """One run. `bound` in seconds; None: the run's own `timeouts.object`."""
    checker = Checker.of(record, bound)
    for line in reading:
        checker.feed(reading.lines, line)
    return checker.checked()


def beside(reading: EventReading, checker: Checker) -> Iterator[Line]:
    """The lines as they are read, for somebody else, while the checker takes them too."""
    for line in reading:
        checker.feed(reading.lines, line)
        yield line


def some(findings: Sequence[Finding]) -> list[str]:
    """A sentence per rule for a verdict: how many, and the first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return [
        f"rule `{rule}` is broken{f' {len(found)} times, first' if len(found) > 1 else ''}: {found[0].text}"
        for rule, found in by_rule.items()
    ]
