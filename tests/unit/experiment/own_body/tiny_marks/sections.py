"""One section with a drawing and a table."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.study import Study
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.tables import data_table


def sections(study: Study) -> Iterator[Section]:
    """The table `ops`, drawn."""
    (table,) = [table for table in study.own.tables if table.name == "ops"]
    drawing = Drawing('<svg id="tiny"></svg>', "Objects", "drawn <here>")
    yield Section("ops", "Objects & ops", ["A line of prose."], data_table(table), [drawing])
