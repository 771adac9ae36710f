"""A comparison as text of 80 columns, as a JSON document and as a file."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fleet.analysis.compare import Comparison, Outcome, cost_rows
from fleet.analysis.recovery import fault_pairs
from fleet.analysis.setting import Setting
from fleet.analysis.study import Study
from fleet.cli.console import Ink, clean
from fleet.cli.table import Cell, Column, render, terminal_width
from fleet.errors import UsageError

EXIT_CODES: Mapping[Outcome, int] = {
    "better": 0,
    "no difference": 0,
    "worse": 3,
    "not comparable": 2,
    "too few to tell": 4,
    "not judged": 0,
}
STYLES: Mapping[Outcome, str] = {
    "better": "ok",
    "no difference": "",
    "worse": "fail",
    "not comparable": "warn",
    "too few to tell": "warn",
    "not judged": "",
}
_SHARE = re.compile(r"^(\d+(?:\.\d+)?) ?%$")
_NARROWEST = 40
"""Columns; below, wrapping makes words unreadable."""
_MOST = 1000.0
"""Percent."""


def share(text: str) -> float:
    """`10%` -> 0.1; a bare number is refused because its unit is a guess. UsageError."""
    match = _SHARE.match(text.strip())
    if match is None or not 0 < float(match[1]) <= _MOST:
        raise UsageError(f"--threshold: {text!r} is not a percentage above 0: write for example 10%")
    return float(match[1]) / 100


def lines(found: Comparison, ink: Ink) -> str:
    """Verdict, reasons, what blocks, and the cells of the headline."""
    told = [f"{_name(found.b)} against {_name(found.a)}: {ink(found.outcome, STYLES[found.outcome])}"]
    width = max(terminal_width(), _NARROWEST)
    told += [
        textwrap.fill(clean(reason), width, initial_indent="  ", subsequent_indent="    ") for reason in found.reasons
    ]
    if found.differences:
        told += ["", "The runs differ in:"]
        told += [
            f"  {ink('!', 'warn') if d.blocks else '-'} {clean(d.field)}: {clean(d.a)} -> {clean(d.b)}"
            for d in found.differences
        ]
    points = any(cell.setting.point for cell in found.cells)
    rows: list[list[Cell | str]] = [
        [
            cell.stage,
            cell.layout,
            str(cell.wecs),
            *([cell.setting.point] if points else []),
            _seconds(cell.a.p50),
            _seconds(cell.b.p50),
            "-" if cell.relative is None else f"{cell.relative:+.1%}",
            Cell(cell.outcome, STYLES[cell.outcome]),
        ]
        for cell in found.cells
        if cell.stage in found.shown
    ]
    if rows:
        columns = [Column("STAGE"), Column("LAYOUT"), Column("WECS", right=True)]
        columns += [Column("POINT")] if points else []
        columns += [Column("P50 A s", right=True)]
        columns += [Column("P50 B s", right=True), Column("SHIFT", right=True), Column("VERDICT")]
        told += ["", render(columns, rows, ink)]
    told += [*_figures(found, ink), *_costs(found, ink), *_faults(found, ink)]
    for contract in found.contracts:
        told += ["", textwrap.fill(clean(contract), width, subsequent_indent="  ")]
    return "\n".join(told)


def _figures(found: Comparison, ink: Ink) -> list[str]:
    """Of the tables of an experiment with a body of its own."""
    rows: list[list[Cell | str]] = [
        [one.table, one.row, f"{one.column} {one.unit}".strip(), f"{one.a:.4g}", f"{one.b:.4g}",
         Cell(one.outcome, STYLES[one.outcome])]
        for one in found.figures
    ]  # fmt: skip
    columns = [Column("TABLE"), Column("ROW"), Column("FIGURE"), Column("A", right=True), Column("B", right=True)]
    return ["", render([*columns, Column("VERDICT")], rows, ink)] if rows else []


def _costs(found: Comparison, ink: Ink) -> list[str]:
    """Per object and WEC, side by side; nothing within one manager."""
    rows: list[list[Cell | str]] = [
        [name, str(setting), _seconds(a), _seconds(b)] for name, setting, a, b in cost_rows(found)
    ]
    columns = [Column("PER OBJECT AND WEC"), Column("SETTING"), Column("A", right=True), Column("B", right=True)]
    return ["", render(columns, rows, ink)] if rows else []


def _faults(found: Comparison, ink: Ink) -> list[str]:
    """Recovery and backlog of each planned fault, side by side."""
    rows: list[list[Cell | str]] = [
        [
            f"{one.action} of {one.target}",
            str(Setting(one.layout, one.wecs, one.point)),
            *(_seconds(side.recovery_p50 if side else None) for side in (a, b)),
            *(str(side.unrecovered) if side else "-" for side in (a, b)),
            *(str(side.backlog_max) if side else "-" for side in (a, b)),
        ]
        for a, b in fault_pairs(found.a.fault_rows, found.b.fault_rows)
        if (one := a or b) is not None
    ]
    titles = ("RECOVERY A s", "B s", "NOT A", "B", "BACKLOG A", "B")
    columns = [Column("FAULT"), Column("SETTING"), *(Column(title, right=True) for title in titles)]
    return ["", render(columns, rows, ink)] if rows else []


def items(found: Comparison) -> list[dict[str, Any]]:
    """Every cell; seconds and shares."""
    return [
        {**{k: v for k, v in asdict(cell).items() if k != "setting"}, **cell.setting._asdict()} for cell in found.cells
    ]


def document(found: Comparison) -> dict[str, Any]:
    """What stands alongside the cells."""
    return {
        "a": _name(found.a),
        "b": _name(found.b),
        "threshold": found.threshold,
        "verdict": found.outcome,
        "reasons": list(found.reasons),
        "forced": found.forced,
        "contracts": list(found.contracts),
        "figures": [asdict(one) for one in found.figures],
        "costs": [
            {"quantity": name, **setting._asdict(), "a": one, "b": two} for name, setting, one, two in cost_rows(found)
        ],
        "faults": [
            {"a": None if one is None else one.model_dump(), "b": None if two is None else two.model_dump()}
            for one, two in fault_pairs(found.a.fault_rows, found.b.fault_rows)
        ],
        "differences": [asdict(difference) for difference in found.differences],
    }


def write_page(path: Path, found: Comparison) -> None:
    """The page, replaced whole. UsageError when the folder is not there; OSError when the disk refuses."""
    from fleet.report.compare_html import page

    if not path.parent.is_dir():
        raise UsageError(f"--out: {path.parent} is not a folder; make it first")
    content = page(found)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _name(study: Study) -> str:
    return f"{study.run.experiment}/{study.run.id}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
