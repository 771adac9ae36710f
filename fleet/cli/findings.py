"""What `fleet doctor` finds: one line per check, with ok, warn or fail and how to fix it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fleet.cli.console import Ink
from fleet.cli.table import Cell, Column, render

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, what was found, and what to do about it (empty when nothing)."""

    check: str
    level: Level
    found: str
    fix: str = ""

    def document(self) -> dict[str, Any]:
        """For `-o json`."""
        return asdict(self)


def failed(findings: Sequence[Finding]) -> bool:
    """Whether any check failed; warnings do not count."""
    return any(finding.level == "fail" for finding in findings)


def page(findings: Sequence[Finding], ink: Ink) -> str:
    """The checks for people, each fix indented under its line; ends with a newline."""
    rows: list[list[Cell | str]] = [[Cell(f.level, f.level), f.check, f.found] for f in findings]
    lines = render([Column(""), Column("CHECK"), Column("FOUND")], rows, ink).split("\n")
    shown = [lines[0]]
    for finding, line in zip(findings, lines[1:], strict=True):
        shown.append(line)
        if finding.fix:
            shown.append(f"      {ink('fix:', 'dim')} {finding.fix}")
    counts = [f"{sum(f.level == level for f in findings)} {level}" for level in ("ok", "warn", "fail")]
    return "\n".join(shown) + f"\n\n{', '.join(counts)}\n"
