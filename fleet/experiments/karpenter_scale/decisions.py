"""What Karpenter decided, by its own counters, and its own latencies alongside those that were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from fleet.analysis.counters import Counter, by_point, rises, spans
from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.histograms import buckets, quantile
from fleet.analysis.program_table import HEAP
from fleet.analysis.recorded import TRIAL, Recorded
from fleet.analysis.samples import Sample
from fleet.analysis.stats import quantile as exact
from fleet.experiments.karpenter_scale import series
from fleet.results.events import MetricSample

SHOWN = {series.CREATED: "created", series.DISRUPTED: "disrupted", series.TERMINATED: "terminated"}
"""Counters that are drawn over time, by what they count."""


def decision_table(recorded: Recorded, trials: Mapping[str, int]) -> DataTable:
    """How much each counter rose per counted trial of a point; `trials` is how many each point has."""
    sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for point, _, span in by_point(recorded, spans(recorded, TRIAL)):
        for key, value in rises(recorded.metrics, span).items():
            if key.name in series.DECISIONS and value:
                sums[point, key.name, key.labels.replace(",", " ")] += value
    rows: list[list[Value]] = [[*key, value / trials[key[0]]] for key, value in sorted(sums.items())]
    columns = [DataColumn(name=name) for name in ("point", "counter", "of")]
    columns.append(DataColumn(name="count", unit="per trial"))
    return DataTable(name="decisions", title="What Karpenter decided", columns=columns, rows=rows)


def decision_series(metrics: Sequence[MetricSample], first_ns: int) -> dict[str, list[tuple[float, float]]]:
    """NodeClaims created, disrupted and terminated in this run, by reason: seconds since it began and a count so far.

    A counter that the first reading has began before the run; one that came later began at 0.
    """
    mine = [sample for sample in metrics if sample.name in SHOWN or sample.name == HEAP]
    read = {sample.component: sample.ns for sample in reversed(mine)}
    found: dict[str, list[tuple[float, float]]] = {}
    before: dict[str, float] = {}
    for sample in mine:
        if sample.name == HEAP:
            continue
        begun = read[sample.component]
        reason = Counter(sample.component, sample.cluster, sample.name, sample.labels).label("reason")
        label = f"{SHOWN[sample.name]}, {reason}" if reason else SHOWN[sample.name]
        if label not in found:
            before[label] = sample.value if sample.ns == begun else 0.0
            found[label] = [((begun - first_ns) / 1e9, 0.0)]
        found[label].append(((sample.ns - first_ns) / 1e9, sample.value - before[label]))
    return found


def own_table(recorded: Recorded, samples: Sequence[Sample]) -> DataTable:
    """Its histograms over the counted trials of each point, and the same latency from watch receipt where one is."""
    found: dict[tuple[str, str], dict[float, float]] = {}
    for point, _, span in by_point(recorded, spans(recorded, TRIAL)):
        risen = rises(recorded.metrics, span)
        for name in series.HISTOGRAMS:
            edges = found.setdefault((point, name), {})
            for edge, value in buckets(risen, name):
                edges[edge] = edges.get(edge, 0.0) + value
    rows: list[list[Value]] = []
    for (point, name), edges in found.items():
        ordered = sorted(edges.items())
        count = ordered[-1][1] if ordered else 0.0
        if not count:
            continue
        stage = series.HISTOGRAMS[name]
        seen = sorted(
            one.seconds
            for one in samples
            if (one.point, one.stage) == (point, stage) and one.counted and one.seconds is not None
        )
        theirs: list[Value] = [quantile(ordered, q) for q in (0.5, 0.95)]
        ours: list[Value] = [exact(seen, q) for q in (0.5, 0.95)] if seen else [None, None]
        rows.append([point, name, count, *theirs, stage, *ours])
    columns = [DataColumn(name=name) for name in ("point", "Karpenter's histogram", "count")]
    columns += [DataColumn(name=name, unit="s") for name in ("its p50", "its p95")] + [DataColumn(name="as seen here")]
    columns += [DataColumn(name=name, unit="s") for name in ("p50", "p95")]
    return DataTable(name="own-latencies", title="Karpenter's own latencies", columns=columns, rows=rows)
