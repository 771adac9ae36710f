"""The timeline of one sample in the terminal: its stages, what was seen line by line, the raw lines."""

from __future__ import annotations

import sys

from fleet.analysis.sample_timeline import find, timelines
from fleet.analysis.study import analyse
from fleet.cli.console import clean, ink_for, out
from fleet.cli.table import Column, render
from fleet.report import why_slow
from fleet.report.tables import Table
from fleet.results.folder import RunFolder


def tell_sample(folder: RunFolder, text: str) -> None:
    """Print it. UsageError when there is no such sample."""
    study = analyse(folder)
    (found,) = timelines(folder, study.run.format, study.samples, [find(study.samples, text)], study.run.source)
    blocks = [why_slow.title(found), _table(why_slow.stages(found)), _table(why_slow.lines(found))]
    out("\n\n".join([*blocks, "\n".join(clean(line) for line in why_slow.raw(found))]))


def _table(table: Table) -> str:
    columns = [Column(name.upper(), right=name in table.numeric) for name in table.head]
    return render(columns, [[clean(cell) for cell in row] for row in table.rows], ink_for(sys.stdout))
