"""What `fleet check` prints: a line per rule, then each finding with its raw lines; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.analysis.checker.check import Checked
from fleet.analysis.checker.rule import Finding
from fleet.cli.console import Ink
from fleet.cli.table import Cell, Column, render, terminal_width
from fleet.errors import UsageError
from fleet.model.duration import parse_duration

SHOWN = 20
"""Findings on a terminal; `-o json` has all."""
LINE = 400
"""Characters of a raw line on a terminal."""


def seconds(bound: str | None) -> float | None:
    """Of the option `--bound`; UsageError when it is no duration."""
    if bound is None:
        return None
    try:
        found = parse_duration(bound)
    except ValueError as error:
        raise UsageError(f"--bound: {error}") from error
    if found <= 0:
        raise UsageError("--bound: write a duration above 0, such as 60s")
    return found


def document(finding: Finding, lines: Mapping[int, bytes]) -> dict[str, Any]:
    """One finding for `-o json`, its raw lines as text."""
    raw = [lines[number].decode(errors="replace").rstrip("\n") for number in finding.lines if number in lines]
    return {**finding.model_dump(), "raw": raw}


def page(run: str, checked: Checked, lines: Mapping[int, bytes], ink: Ink) -> str:
    """For people; ends with a newline."""
    rows: list[list[Cell | str]] = [
        [
            Cell("broken" if count else "holds", "fail" if count else "ok"),
            rule,
            str(count),
            checked.says[rule].partition(". ")[0].rstrip("."),
        ]
        for rule, count in checked.counts.items()
    ]
    columns = [Column(""), Column("RULE"), Column("FINDINGS", right=True), Column("WHAT MUST HOLD")]
    shown = [f"{run}: {checked.objects} objects, {checked.pairs} deliveries, {checked.lines} lines", ""]
    shown += [render(columns, rows, ink, width=terminal_width()), ""]
    for finding in checked.findings[:SHOWN]:
        shown.append(f"{ink(finding.rule, 'fail')}{f' ({finding.trial})' if finding.trial else ''}: {finding.text}")
        for number in finding.lines:
            text = lines.get(number, b"").decode(errors="replace").rstrip("\n")
            shown.append(f"  {number}: {text[:LINE]}{'...' if len(text) > LINE else ''}")
    if len(checked.findings) > SHOWN:
        shown.append(f"and {len(checked.findings) - SHOWN} more: `-o json` has all")
    return "\n".join(shown).rstrip("\n") + "\n"
