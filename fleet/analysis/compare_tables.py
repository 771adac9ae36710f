"""Tables of two runs of one experiment side by side: the figures that distinguish better from worse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from fleet.analysis.findings import DataColumn, DataTable, Value

Key = tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """One cell of a table in both runs; the median where a run has several rows of one key."""

    table: str
    row: str
    column: str
    unit: str
    a: float
    b: float
    outcome: Literal["better", "worse", "no difference"]

    def __str__(self) -> str:
        """As a reason of a verdict."""
        where = " ".join(part for part in (self.row, self.column) if part)
        unit = f" {self.unit}" if self.unit else ""
        return f"{where} ({self.table}) is {self.outcome}: {self.a:.4g}{unit} in A, {self.b:.4g}{unit} in B"


def figures(a: Sequence[DataTable], b: Sequence[DataTable], threshold: float) -> list[Figure]:
    """Of tables that both have, in rows that both have; `threshold` is the least relative effect that matters."""
    others = {table.name: table for table in b}
    return [one for table in a if table.name in others for one in _of(table, others[table.name], threshold)]


def _of(a: DataTable, b: DataTable, threshold: float) -> Iterator[Figure]:
    rows_a, rows_b = _rows(a), _rows(b)
    judged = {column.name: column for column in a.columns if column.better}
    for key, was in rows_a.items():
        for name, column in judged.items():
            now = rows_b.get(key, {})
            if name in was and name in now:
                outcome = judge(column, was[name], now[name], threshold)
                yield Figure(a.name, " ".join(key), name, column.unit, was[name], now[name], outcome)


def judge(column: DataColumn, a: float, b: float, threshold: float) -> Literal["better", "worse", "no difference"]:
    """Alike up to the column's tolerance, and up to the threshold as a share of A."""
    if abs(b - a) <= max(column.tolerance, threshold * abs(a)):
        return "no difference"
    return "better" if (b < a) == (column.better == "lower") else "worse"


def _rows(table: DataTable) -> Mapping[Key, Mapping[str, float]]:
    """Numbers by key and column."""
    names = [column.name for column in table.columns]
    at = [names.index(name) for name in table.key]
    values: defaultdict[Key, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in table.rows:
        for name, cell in zip(names, row, strict=True):
            if isinstance(cell, int | float):
                key = tuple(_said(names[index], row[index]) for index in at)
                values[key][name].append(float(cell))
    return {key: {name: median(found) for name, found in columns.items()} for key, columns in values.items()}


def _said(name: str, value: Value) -> str:
    """A number needs the name of its column."""
    return f"{name} {value:g}" if isinstance(value, int | float) else str(value)
