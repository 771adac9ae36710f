"""The report of any run in Markdown, for a pull request, an issue or the step summary of a CI job: no drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.lag import lags, stage_of
from fleet.analysis.study import Study
from fleet.report import cpu_split, tables, why_slow
from fleet.report.answer import answer
from fleet.report.figures import HEADLINE, headline
from fleet.report.markdown import lines_of, plain
from fleet.report.reproduce import commands
from fleet.report.sections import sections
from fleet.report.setting import facts
from fleet.report.tables import ABSENT, Table

SHOWN = 25
"""Rows of a table."""
LAGGING = 10
"""WECs that are listed."""


def markdown(study: Study) -> str:
    """The whole document; everything from outside is escaped."""
    return "\n".join(_lines(study)) + "\n"


def _lines(study: Study) -> Iterator[str]:
    run, verdict = study.run, study.verdict
    yield from (f"# {plain(run.experiment)} {plain(run.id)}: {verdict.status}", "")
    if study.disagrees:
        yield "**Summary and raw data disagree**; this report is made from the events:"
        yield from ("", *_list(study.disagrees), "")
    yield from _list(
        [*verdict.reasons, *verdict.planned, *verdict.known, *verdict.findings, *(f.text for f in study.failures)]
    )
    yield from _list([f"warning: {warning}" for warning in verdict.warnings])
    for sentence in answer(study):
        yield from ("", plain(sentence))
    yield from _section("Latency (s)", tables.latencies(study.rows, study.own.stages or HEADLINE))
    for section in sections(study):
        yield from _section(section.title, section.table, section.lines)
    yield from _section("WECs that lag most", _lagging(study))
    yield from _section("Whose CPU it was", cpu_split.table(study.cpu), [cpu_split.sentence(study.cpu)])
    for one in study.slowest[:1]:
        yield from _section(f"Why the slowest was slow: {why_slow.title(one)}", why_slow.lines(one))
    absent, missing = tables.missing(study.samples)
    yield from _section("Missing samples", absent, [f"{missing} in all." if missing else "None."])
    yield from _section("Anomalies, gaps and disturbances", tables.events(study))
    yield from _section("What ran", Table(("what", "value"), [(name, value) for name, value in facts(study)]))
    yield from ("", "## How to reproduce", "", "```bash", *commands(run.fleet), "```")


def _section(title: str, table: Table, sentences: Sequence[str] = ()) -> Iterator[str]:
    said = [sentence for sentence in sentences if sentence]
    if not said and not table.rows:
        return
    yield from ("", f"## {plain(title)}")
    for sentence in said:
        yield from ("", plain(sentence))
    if table.rows:
        shown = Table(table.head, table.rows[:SHOWN], table.numeric)
        yield from ("", *lines_of(shown))
        if len(table.rows) > SHOWN:
            yield from ("", f"{len(table.rows) - SHOWN} rows more: see `report.html` or the CSV files.")


def _list(sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"- {plain(sentence)}" for sentence in sentences)


def _lagging(study: Study) -> Table:
    """By the median of each WEC's samples less the median of their trial."""
    stage = stage_of(study.samples, headline(study))
    found = lags(study.samples, stage, study.recorded.first_ns) if stage else []
    rows = [
        (
            one.cluster,
            f"{one.lag:+.3f}",
            f"{one.median:.3f}",
            f"{one.worst:.3f}",
            str(one.missing) if one.missing else ABSENT,
        )
        for one in found[:LAGGING]
    ]
    head = ("WEC", f"lag of {stage} (s)", "median (s)", "slowest (s)", "missing")
    return Table(head, rows, frozenset(head[1:]))
