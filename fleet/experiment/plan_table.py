"""The trials of an experiment that distributes a workload, as a table: a row per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from fleet.experiment.definition import PlanTable
from fleet.experiment.plan import TrialPlan, groups

COUNTS = ("WECS", "POLICIES", "OBJECTS", "COPIES", "WARM-UPS", "REPEATS")


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


def rows_of(trials: Sequence[TrialPlan]) -> list[PlanRow]:
    """The groups of trials in the order in which they would run."""
    return [_row(group.number, group.trials) for group in groups(list(trials))]


def plan_table(trials: Sequence[TrialPlan]) -> PlanTable:
    """The groups, and what they come to."""
    rows = rows_of(trials)
    points = any(row.point for row in rows)
    head = ("GROUP", "LAYOUT", *(("POINT",) if points else ()), *COUNTS)
    lines = [
        (
            str(r.group + 1),
            r.layout,
            *((r.point,) if points else ()),
            *(str(count) for count in (r.wecs, r.policies, r.objects, r.copies, r.warmups, r.repeats)),
        )
        for r in rows
    ]
    trials_ = sum(row.warmups + row.repeats for row in rows)
    objects = sum(row.objects * (row.warmups + row.repeats) for row in rows)
    copies = sum(row.copies * (row.warmups + row.repeats) for row in rows)
    end = f"{trials_} trials: {objects} objects of kind {rows[0].kind} at the sources, {copies} copies in WECs"
    return PlanTable(head, lines, frozenset({"GROUP", *COUNTS}), [asdict(row) for row in rows], end)


def _row(number: int, members: Sequence[TrialPlan]) -> PlanRow:
    first = members[0]
    warmups = sum(trial.repeat < 0 for trial in members)
    return PlanRow(
        number, first.layout, first.wecs, first.policies, first.objects, first.copies, warmups, len(members) - warmups,
        first.kind, first.point,
    )  # fmt: skip
