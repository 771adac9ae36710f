"""Calls of admission webhooks and how long they took, as the API server counts them."""

from __future__ import annotations

from collections import defaultdict

from fleet.analysis.counters import Counter, by_point, rises, spans
from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.histograms import buckets, quantile
from fleet.analysis.recorded import TRIAL, Recorded

METRIC = "apiserver_admission_webhook_admission_duration_seconds"
LABELS = frozenset({"name", "operation", "rejected", "le"})
"""To be kept of its series."""


def webhook_table(recorded: Recorded, objects: int) -> DataTable:
    """One row per point, webhook and operation; quantiles are between the edges of the API server's own buckets."""
    rows: list[list[Value]] = []
    grouped: defaultdict[str, list[dict[Counter, float]]] = defaultdict(list)
    for point, _, span in by_point(recorded, spans(recorded, TRIAL)):
        grouped[point].append(rises(recorded.metrics, span))
    for point, trials in grouped.items():
        found: defaultdict[Counter, float] = defaultdict(float)
        for trial in trials:
            for key, value in trial.items():
                if key.name.startswith(METRIC):
                    found[key] += value
        names = sorted({(key.label("name"), key.label("operation"), key.label("rejected")) for key in found})
        for name, operation, rejected in names:
            labels = {"name": name, "operation": operation, "rejected": rejected}
            calls = _sum(found, f"{METRIC}_count", labels)
            if not calls:
                continue
            edges = buckets(found, METRIC, **labels)
            p50, p95 = quantile(edges, 0.5), quantile(edges, 0.95)
            rows.append(
                [
                    point,
                    name,
                    operation,
                    rejected,
                    calls / len(trials),
                    calls / len(trials) / objects,
                    _ms(_sum(found, f"{METRIC}_sum", labels) / calls),
                    _ms(p50),
                    _ms(p95),
                ]
            )
    names_ = ("point", "webhook", "operation", "rejected")
    units = (("calls", "per trial"), ("per object", ""), ("mean", "ms"), ("p50", "ms"), ("p95", "ms"))
    columns = [*(DataColumn(name=n) for n in names_), *(DataColumn(name=n, unit=u) for n, u in units)]
    return DataTable(name="webhooks", title="Webhooks", columns=columns, rows=rows)


def _sum(found: dict[Counter, float], name: str, labels: dict[str, str]) -> float:
    return sum(
        value
        for key, value in found.items()
        if key.name == name and all(key.label(label) == wanted for label, wanted in labels.items())
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3
