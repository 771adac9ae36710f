"""How evenly a scheduler spread the objects of a trial over nodes, from the node that each was bound to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.recorded import Recorded


def placed(recorded: Recorded, resource: str, mark: str) -> dict[str, Counter[str]]:
    """Objects per node of each counted trial; the node is the data of the mark."""
    found: dict[str, Counter[str]] = {plan.trial: Counter() for plan in recorded.trials if plan.repeat >= 0}
    for seen in recorded.seen:
        if (seen.resource, seen.mark) == (resource, mark) and seen.trial in found and seen.data:
            found[seen.trial][str(seen.data)] += 1
    return found


def spread_table(recorded: Recorded, found: Mapping[str, Counter[str]], nodes: int) -> DataTable:
    """A row per trial; `nodes` are those that could take an object. Imbalance is the fullest node over the mean."""
    rows: list[list[Value]] = []
    for plan in recorded.trials:
        counts = found.get(plan.trial)
        if not counts or not nodes:
            continue
        total, used = sum(counts.values()), len(counts)
        least = min(counts.values()) if used >= nodes else 0
        rows.append(
            [plan.trial, plan.point, total, nodes, used, least, total / nodes, max(counts.values()),
             max(counts.values()) * nodes / total]
        )  # fmt: skip
    names = ("trial", "point", "objects", "nodes", "nodes used", "fewest", "mean", "most", "imbalance")
    return DataTable(
        name="spread", title="Spread over nodes", columns=[DataColumn(name=name) for name in names], rows=rows
    )
