"""`summary.md`: verdict, findings and the tables of an experiment's own, for reading in a terminal or a repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleet.analysis.findings import DataTable
from fleet.analysis.study import Study
from fleet.report.tables import Table, data_table

MOST_ROWS = 60
"""A longer table is in its CSV file only."""


class MarkdownReporter:
    """Of runs whose experiment has tables of its own."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """The one file, or none."""
        if not study.own.tables:
            return {}
        return {"summary.md": ("\n".join(_lines(study)) + "\n").encode()}


def _lines(study: Study) -> Iterator[str]:
    run, verdict = study.run, study.verdict
    yield from (f"# {run.experiment} {run.id}", "", f"Verdict: **{verdict.status}**.", "")
    for sentences in (verdict.reasons, study.own.said, verdict.warnings):
        yield from (f"- {plain(sentence)}" for sentence in sentences)
    for table in study.own.tables:
        yield from ("", f"## {plain(table.title or table.name)}", "")
        if len(table.rows) > MOST_ROWS:
            yield f"{len(table.rows)} rows: see `{table.name}.csv`."
        else:
            yield from _table(table)


def _table(data: DataTable) -> Iterator[str]:
    yield from lines_of(data_table(data))


def lines_of(table: Table) -> Iterator[str]:
    """A table, numbers aligned right."""
    yield _row(table.head)
    yield _row("---:" if name in table.numeric else "---" for name in table.head)
    for row in table.rows:
        yield _row(row)


def _row(cells: Iterator[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def plain(text: str) -> str:
    """Text that cannot end its cell or begin markup of its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
