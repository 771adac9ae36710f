"""The five sections of a report about objects in one control plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.analysis.findings import DataTable
from fleet.analysis.five_parts import PARTS, Part
from fleet.analysis.study import Study
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.tables import EMPTY, data_table


@dataclass(frozen=True)
class Content:
    """What an experiment has to say in one part; tables by the names that its analysis gave them."""

    lines: Sequence[str] = ()
    tables: Sequence[str] = ()
    figures: Sequence[Drawing] = field(default_factory=tuple)


def five_parts(study: Study, parts: Mapping[Part, Content]) -> Iterator[Section]:
    """One section per part, in their order, and one more for each further table of a part."""
    known = {table.name: table for table in study.own.tables}
    for part, title in PARTS.items():
        content = parts.get(part, Content(lines=["This run did not look at it."]))
        tables = [known[name] for name in content.tables if name in known]
        first = data_table(tables[0]) if tables else EMPTY
        yield Section(part, title, content.lines, first, content.figures)
        for table in tables[1:]:
            yield _further(part, table)


def _further(part: str, table: DataTable) -> Section:
    return Section(f"{part}-{table.name}", table.title or table.name, (), data_table(table))
