"""Rule `status-owner`: a status that a manager reports is one that this object had in this WEC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from fleet.analysis.checker.rule import Finding
from fleet.analysis.final import covers, digest
from fleet.analysis.history import History
from fleet.analysis.hop_table import REPORTED
from fleet.results.events import Fact, HopSeen, Key, Line, ObjectRef, TrialPlan, WorkloadSeen

_IDENTITY = 4
"""Parts of an object's identity behind a key that is given for several objects."""


class _Report(NamedTuple):
    number: int
    ns: int
    about: Key
    wec: str
    uid: str
    status: Any


class _Doubt(NamedTuple):
    """A report that fits nothing which its object had there."""

    report: _Report
    op: str
    whose: str
    """Another object that had it there, as far as one is known."""


class StatusOwner:
    """See `Rule`."""

    name = "status-owner"
    says = (
        "A status never belongs to another object: every status that is reported of an object in a WEC, whole or in "
        "fields, is one that it had there. WECs whose watch had a gap, and managers that report no statuses, are not "
        "judged."
    )

    def __init__(self, history: History) -> None:
        self.history = history
        row = history.table.rows.get(REPORTED)
        self._compares = row.compares if row is not None and row.resource else ""
        self._had: defaultdict[tuple[str, str], dict[bytes, Any]] = defaultdict(dict)
        """By op-id and WEC: every status, by its digest."""
        self._given: defaultdict[Key, set[str]] = defaultdict(set)
        """Op-ids of what is known by that key."""
        self._reports: list[_Report] = []
        self._doubts: list[_Doubt] = []
        """Of trials that are past."""
        self._begins: list[int] = []
        """When each trial began."""

    def feed(self, number: int, line: Line) -> None:
        """See `Rule`."""
        if isinstance(line, TrialPlan):
            self._begins.append(line.ns)
        if self.history.past:
            self._put_away(self.history.past)
        if not self._compares or getattr(line, "type", "") == "DELETED":
            return
        match line:
            case WorkloadSeen():
                if line.op and line.status is not None:
                    kept = line.status if self._compares == "fields" else None
                    self._had[line.op, line.cluster].setdefault(digest(line.status), kept)
            case HopSeen():
                self._hop(number, line)
            case _:
                pass

    def _hop(self, number: int, line: HopSeen) -> None:
        ops = {fact.about[1] for fact in line.facts if fact.about[0] == "op"}
        for key in line.gives:
            self._given[key] |= ops
        for fact in line.facts if line.hop == REPORTED else ():
            if fact.status:
                self._reports.append(self._report(number, line, fact))

    def _report(self, number: int, line: HopSeen, fact: Fact) -> _Report:
        status = fact.status if self._compares == "fields" else digest(fact.status)
        return _Report(number, line.ns, fact.about, fact.wec, line.uid, status)

    def _put_away(self, ops: frozenset[str]) -> None:
        """Judge what was reported of those objects, then forget what they had and the keys by which they are known. Of
        a key that nothing gave in a whole trial nobody knows what it is about."""
        told = [(report, self._op(report)) for report in self._reports]
        self._doubts += self._doubted((report, op) for report, op in told if op in ops)
        begin = self._begins[-2]
        self._reports = [report for report, op in told if op not in ops and (op or report.ns >= begin)]
        self._had = defaultdict(dict, {pair: had for pair, had in self._had.items() if pair[0] not in ops})
        self._given = defaultdict(set, {key: left for key, of in self._given.items() if (left := of - ops)})

    def _doubted(self, told: Iterable[tuple[_Report, str]]) -> Iterator[_Doubt]:
        history = self.history
        for report, op in told:
            if op not in history.planned or report.wec not in history.planned[op].clusters:
                continue
            if self._fits(self._had.get((op, report.wec), {}), report.status):
                continue
            whose = next(
                (history.name(other) for (other, wec), seen in self._had.items()
                 if wec == report.wec and other != op and other in history.planned and self._fits(seen, report.status)),
                "",
            )  # fmt: skip
            yield _Doubt(report, op, whose)

    def findings(self) -> Iterator[Finding]:
        """One per report."""
        history = self.history
        doubts = [*self._doubts, *self._doubted((report, self._op(report)) for report in self._reports)]
        for report, op, whose in sorted(doubts, key=lambda doubt: doubt.report.number):
            if history.blind(report.wec, 0, report.ns):
                continue
            text = f"at {history.at(report.ns)} {history.name(op)} was reported with a status that it never had in"
            text += f" {report.wec}"
            yield Finding(
                rule=self.name,
                text=text + (f"; {whose} had it" if whose else ""),
                trial=history.planned[op].trial,
                cluster=report.wec,
                object=history.name(op),
                lines=[report.number],
                ops=[op],
                uids=[report.uid],
            )

    def _op(self, report: _Report) -> str:
        """What a report is about: an op-id, or a key that what carried the object gave, with its identity behind it."""
        if report.about[0] == "op":
            return report.about[1]
        ref = ObjectRef(*report.about[-_IDENTITY:])
        ops = self._given.get(report.about[:-_IDENTITY], set())
        return next((op for op in ops if op in self.history.planned and self.history.planned[op].ref == ref), "")

    def _fits(self, had: dict[bytes, Any], status: Any) -> bool:
        if self._compares == "status":
            return status in had
        return any(covers(known, status) for known in had.values())
