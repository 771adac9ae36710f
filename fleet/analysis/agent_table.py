"""Requests by user agent, from the API server's audit log: clients that count none of their own are among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.recorded import Recorded

AUDITED = "audited"
"""Name of the measured quantity: requests of one kind in one trial; its labels are those of a row."""
LABELS = ("agent", "verb", "resource", "code")


def agent_table(recorded: Recorded, objects: int, trials: Mapping[str, int]) -> DataTable:
    """`objects` per trial, `trials` per point; most requests of each point first."""
    points = {plan.trial: plan.point for plan in recorded.trials if plan.repeat >= 0}
    sums: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for one in recorded.measured:
        if one.name == AUDITED and one.trial in points:
            sums[points[one.trial], *(one.of.get(label, "") for label in LABELS)] += one.value
    ranked = sorted(sums.items(), key=lambda row: (row[0][0], -row[1], row[0]))
    rows: list[list[Value]] = [
        [*key, value / trials[key[0]], value / trials[key[0]] / objects] for key, value in ranked
    ]
    return DataTable(
        name="agents",
        title="Requests by user agent",
        columns=[
            *(DataColumn(name=name) for name in ("point", *LABELS)),
            DataColumn(name="requests", unit="per trial"),
            DataColumn(name="per object"),
        ],
        rows=rows,
    )
