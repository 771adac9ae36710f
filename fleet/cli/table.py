"""Aligned columns for people: headings, numbers to the right, a last column that is cut to the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.cli.console import Ink, clean

GAP = "  "


@dataclass(frozen=True)
class Cell:
    """One value and the style it has in a terminal (see `Ink`)."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column:
    """A heading; numbers stand to the right."""

    title: str
    right: bool = False


def terminal_width() -> int:
    """Columns of the terminal; 80 when there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def render(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], ink: Ink, *, width: int = 0) -> str:
    """The table, without a line end after the last row. `width` 0 never cuts; else only the last column is cut."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max(len(column.title), *(len(row[index].text) for row in cells)) if cells else len(column.title)
        for index, column in enumerate(columns)
    ]
    if width:
        rest = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(width - rest, len(columns[-1].title)))
    heading = [Cell(column.title, "dim") for column in columns]
    return "\n".join(_line(row, columns, widths, ink) for row in [heading, *cells])


def _cell(value: Cell | str) -> Cell:
    cell = Cell(value) if isinstance(value, str) else value
    return Cell(clean(cell.text).replace("\n", " ").replace("\t", " "), cell.style)


def _line(row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], ink: Ink) -> str:
    parts = []
    for index, (cell, column, width) in enumerate(zip(row, columns, widths, strict=True)):
        text = cell.text if len(cell.text) <= width else f"{cell.text[: max(width - 1, 0)]}\N{HORIZONTAL ELLIPSIS}"
        blank = " " * (width - len(text))
        last = index == len(columns) - 1
        shown = ink(text, cell.style)
        parts.append(f"{blank}{shown}" if column.right else shown if last else f"{shown}{blank}")
    return GAP.join(parts).rstrip()
