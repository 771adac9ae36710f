"""An experiment as YAML, and its trials as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from fleet.cli.console import Ink
from fleet.cli.table import Column, render
from fleet.experiment.definition import PlanTable
from fleet.model.duration import written
from fleet.model.experiment_file import ExperimentFile


def as_yaml(spec: ExperimentFile) -> str:
    """The whole spec, in the form that a file has: durations with their unit."""
    return yaml.safe_dump(written(spec), sort_keys=False, width=100)


def as_table(plan: PlanTable, manager: str, able: Mapping[str, str], ink: Ink) -> str:
    """The trials for people, what they come to, and under which managers else (`able`: those, with why not)."""
    columns = [Column(name, right=name in plan.numeric) for name in plan.head]
    others = [name if not why else f"not {name} ({why})" for name, why in able.items() if name != manager]
    table = render(columns, [list(row) for row in plan.rows], ink)
    return f"{table}\n\n{plan.end}\nmanager {manager}; also: {', '.join(others)}\n"


def schedule(faults: Sequence[Mapping[str, Any]], ink: Ink) -> str:
    """What `during` does, drawn moments and chosen WECs written out; empty without."""
    if not faults:
        return ""
    columns = [Column("TRIAL"), Column("AT s", right=True), Column("FOR s", right=True), Column("ACTION"), Column("ON")]
    rows = [
        [
            one["trial"] or "each that counts",
            f"{one['at']:g}",
            "-" if one["for"] is None else f"{one['for']:g}",
            one["action"],
            ", ".join(one["held"]),
        ]
        for one in faults
    ]
    return f"\n{render(columns, rows, ink)}\n"
