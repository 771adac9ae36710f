"""What planned faults did and what the checker found, as sections of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.checker.check import Checked
from fleet.analysis.recovery import FaultRow, FaultTrial
from fleet.analysis.study import Study
from fleet.report.section import Section
from fleet.report.tables import ABSENT, Table

SHOWN = 50
"""Rows of findings in the page; `fleet check` shows all."""


def recovered(study: Study) -> Iterator[Section]:
    """Those that this run has."""
    if study.fault_rows:
        rule = (
            "A pair is an object and a WEC that must get it. Recovery counts from the end of the fault until every pair"
            " is right again; noticed is the first sign of it in the run's own record."
        )
        said = [rule, *(_sentence(one) for one in study.faults if one.unrecovered)]
        yield Section("faults", "What the faults did", said, _faults(study.fault_rows))
    if study.checked.findings:
        yield Section("checker", "What the checker found", _rules(study.checked), _findings(study.checked))


def _sentence(one: FaultTrial) -> str:
    return f"{one.action} of {one.target} in trial {one.trial}: {one.unrecovered} pairs were not right to the end."


def _faults(rows: Sequence[FaultRow]) -> Table:
    head = ("fault", "layout", "WECs", "repeats", "noticed p50 (s)", "noticed max", "recovery p50 (s)",
            "recovery p99", "recovery max", "not recovered", "backlog p50", "backlog max", "extra requests p50",
            "downsync p50 (s)", "undisturbed p50")  # fmt: skip
    body = [
        (
            f"{row.action} of {row.target}",
            f"{row.layout}, {row.point}" if row.point else row.layout,
            str(row.wecs),
            str(row.repeats),
            _seconds(row.noticed_p50),
            _seconds(row.noticed_max),
            _seconds(row.recovery_p50),
            "needs 100" if row.recovery_p99 is None else _seconds(row.recovery_p99),
            _seconds(row.recovery_max),
            str(row.unrecovered),
            f"{row.backlog_p50:g}",
            str(row.backlog_max),
            ABSENT if row.extra_requests_p50 is None else f"{row.extra_requests_p50:+.0f}",
            _seconds(row.downsync_p50),
            _seconds(row.undisturbed_p50),
        )
        for row in rows
    ]
    return Table(head, body, frozenset(head[2:]))


def _rules(checked: Checked) -> list[str]:
    """The rules that are broken, in words."""
    counts = checked.counts
    broken = [f"{checked.says[rule]} Broken {count} times." for rule, count in counts.items() if count]
    return [f"{len(counts) - len(broken)} of {len(counts)} rules hold. `fleet check` shows the lines.", *broken]


def _findings(checked: Checked) -> Table:
    head = ("rule", "trial", "what")
    rows = [(one.rule, one.trial or ABSENT, one.text) for one in checked.findings[:SHOWN]]
    return Table(head, rows, prose=frozenset({"what"}))


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}"
