"""`samples.csv`, `resources.csv` and the experiment's own tables, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from operator import attrgetter
from typing import BinaryIO, TypeVar

from fleet.analysis.findings import DataTable
from fleet.analysis.resources import RESOURCE_COLUMNS
from fleet.analysis.samples import COLUMNS
from fleet.analysis.study import Study
from fleet.results.folder import Content

Row = TypeVar("Row")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvReporter:
    """One row per sample, and one per program and moment. Seconds have nine decimals, missing values are empty."""

    def files(self, study: Study) -> Mapping[str, Content]:
        """Both files, and one per table of the experiment's own."""
        return {
            "samples.csv": _table(COLUMNS, study.samples, attrgetter(*COLUMNS)),
            "resources.csv": _table(RESOURCE_COLUMNS, study.usages, astuple),
            **{f"{data.name}.csv": _table(_head(data), data.rows, iter) for data in study.own.tables},
        }


def cell(value: object) -> str:
    """One cell. Text that a spreadsheet would take for a formula gets a quote in front; numbers are left alone."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9f}"
    if isinstance(value, tuple):
        return cell(";".join(str(part) for part in value))
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _head(data: DataTable) -> list[str]:
    return [f"{column.name} ({column.unit})" if column.unit else column.name for column in data.columns]


def _table(columns: Sequence[str], rows: Iterable[Row], cells: Callable[[Row], Iterable[object]]) -> Content:
    def write(file: BinaryIO) -> None:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(value) for value in cells(row)] for row in rows)
        out.detach()

    return write
