"""Who requested what from the API server, per object of a trial: by verb, resource and code, of every program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.analysis.counters import Counter, by_point, rises, spans
from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.recorded import TRIAL, Recorded

API_SERVER = "kube-apiserver"


@dataclass(frozen=True)
class Counted:
    """A metric that counts requests, and how its labels are called."""

    name: str
    verb: str = "verb"
    resource: str = "resource"
    code: str = "code"
    subresource: str = ""


API_SERVER_REQUESTS = Counted("apiserver_request_total", subresource="subresource")
"""Of all clients together."""


@dataclass(frozen=True, order=True)
class Asked:
    """One row: `who` is a component, the API server for all of them."""

    point: str
    who: str
    verb: str
    resource: str
    code: str


def asked(recorded: Recorded, counted: Sequence[Counted], step: str = TRIAL) -> dict[Asked, list[float]]:
    """Requests per counted trial in that step; a list has one value per trial of the point that had any."""
    found: defaultdict[Asked, list[float]] = defaultdict(list)
    for point, _, span in by_point(recorded, spans(recorded, step)):
        sums: defaultdict[Asked, float] = defaultdict(float)
        for key, value in rises(recorded.metrics, span).items():
            metric = next((each for each in counted if each.name == key.name), None)
            if metric is not None and value:
                sums[_row(point, key, metric)] += value
        for row, value in sums.items():
            found[row].append(value)
    return found


def request_table(rows: Mapping[Asked, Sequence[float]], objects: int, trials: Mapping[str, int]) -> DataTable:
    """`objects` per trial; `trials` is how many counted ones each point has. Most requests first."""
    ranked = sorted(rows.items(), key=lambda row: (row[0].point, row[0].who, -sum(row[1]), row[0]))
    cells: list[list[Value]] = [
        [
            row.point,
            row.who,
            row.verb,
            row.resource,
            row.code,
            sum(values) / trials[row.point],
            sum(values) / trials[row.point] / objects,
        ]
        for row, values in ranked
    ]
    return DataTable(
        name="requests",
        title="Requests",
        columns=[
            *(DataColumn(name=name) for name in ("point", "program", "verb", "resource", "code")),
            DataColumn(name="requests", unit="per trial"),
            DataColumn(name="per object"),
        ],
        rows=cells,
    )


def _row(point: str, key: Counter, metric: Counted) -> Asked:
    resource = key.label(metric.resource)
    below = key.label(metric.subresource) if metric.subresource else ""
    return Asked(
        point,
        key.component,
        key.label(metric.verb),
        f"{resource}/{below}" if below else resource,
        key.label(metric.code),
    )
