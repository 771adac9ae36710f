"""Texts that files below tests/golden hold, so that a change of one is seen in the diff of a commit."""

from __future__ import annotations

import os
from pathlib import Path

from fleet.host.plan import Plan, PlannedProgram
from fleet.host.supervisor_config import Program

GOLDEN = Path(__file__).parents[1] / "golden"


def check_golden(name: str, text: str) -> None:
    """Compare with the file of that name; `FLEET_GOLDEN=accept` writes it again."""
    path = GOLDEN / name
    if os.environ.get("FLEET_GOLDEN") == "accept":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def check_programs(name: str, programs: list[Program]) -> None:
    """The same with the command lines of a manager's programs."""
    plan = Plan(programs=tuple(PlannedProgram(p, p.name.partition(".")[0], "") for p in programs))
    check_golden(f"managers/{name}.txt", plan.transcript())
