"""An experiment as YAML, and its trials as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from fleet.cli.console import Ink
from fleet.cli.table import Column, render
from fleet.experiment.plan import TrialPlan, groups
from fleet.model.duration import written
from fleet.model.experiment_file import ExperimentFile


@dataclass(frozen=True)
class PlanRow:
    """One group of trials: same layout, same WECs, same policies."""

    group: int
    layout: str
    wecs: int
    policies: int
    objects: int
    copies: int
    """Objects in all WECs together, per trial."""
    warmups: int
    repeats: int
    kind: str
    point: str = ""

    def document(self) -> dict[str, Any]:
        """For `-o json`."""
        return asdict(self)


def as_yaml(spec: ExperimentFile) -> str:
    """The whole spec, in the form that a file has: durations with their unit."""
    return yaml.safe_dump(written(spec), sort_keys=False, width=100)


def rows_of(trials: Sequence[TrialPlan]) -> list[PlanRow]:
    """The groups of trials in the order in which they would run."""
    return [_row(group.number, group.trials) for group in groups(list(trials))]


def _row(number: int, members: Sequence[TrialPlan]) -> PlanRow:
    first = members[0]
    warmups = sum(trial.repeat < 0 for trial in members)
    return PlanRow(
        number, first.layout, first.wecs, first.policies, first.objects, first.copies, warmups, len(members) - warmups,
        first.kind, first.point,
    )  # fmt: skip


def as_table(rows: Sequence[PlanRow], manager: str, able: Mapping[str, str], ink: Ink) -> str:
    """The groups for people, what they come to, and under which managers else (`able`: those, with why not)."""
    points = any(row.point for row in rows)
    columns = [Column("GROUP", right=True), Column("LAYOUT"), *([Column("POINT")] if points else [])]
    columns += [Column(t, right=True) for t in ("WECS", "POLICIES", "OBJECTS", "COPIES", "WARM-UPS", "REPEATS")]
    lines = [
        [
            str(v)
            for v in (
                r.group + 1,
                r.layout,
                *([r.point] if points else []),
                r.wecs,
                r.policies,
                r.objects,
                r.copies,
                r.warmups,
                r.repeats,
            )
        ]
        for r in rows
    ]
    trials_ = sum(row.warmups + row.repeats for row in rows)
    objects = sum(row.objects * (row.warmups + row.repeats) for row in rows)
    copies = sum(row.copies * (row.warmups + row.repeats) for row in rows)
    end = f"{trials_} trials: {objects} objects of kind {rows[0].kind} at the sources, {copies} copies in WECs"
    others = [name if not why else f"not {name} ({why})" for name, why in able.items() if name != manager]
    return f"{render(columns, lines, ink)}\n\n{end}\nmanager {manager}; also: {', '.join(others)}\n"
