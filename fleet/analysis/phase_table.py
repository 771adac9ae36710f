"""Latencies of every phase of an experiment's objects: exact percentiles of what its watches saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.samples import Sample
from fleet.analysis.stats import p99, quantile
from fleet.model.stage import Stage


def phase_table(samples: Iterable[Sample], stages: Sequence[Stage], names: Sequence[str], name: str) -> DataTable:
    """The counted samples of the stages `names`, a row per point and stage, points as they came; seconds."""
    texts = {stage.name: stage.text for stage in stages}
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    missing: defaultdict[tuple[str, str], int] = defaultdict(int)
    for sample in samples:
        if sample.stage not in names or not sample.counted:
            continue
        if sample.seconds is None:
            missing[sample.point, sample.stage] += 1
        else:
            found[sample.point, sample.stage].append(sample.seconds)
    rows: list[list[Value]] = []
    points = dict.fromkeys(point for point, _ in (*found, *missing))
    for point, stage in (
        (point, stage) for point in points for stage in names if {(point, stage)} & {*found, *missing}
    ):
        ordered = sorted(found[point, stage])
        shown: list[Value] = [quantile(ordered, q) for q in (0.5, 0.95)] if ordered else [None, None]
        highest: list[Value] = [p99(ordered), ordered[-1]] if ordered else [None, None]
        rows.append([point, stage, texts.get(stage, ""), len(ordered), missing[point, stage], *shown, *highest])
    heads = ("point", "phase", "from and to", "objects", "missing")
    columns = [*(DataColumn(name=head) for head in heads)]
    columns += [DataColumn(name=head, unit="s") for head in ("p50", "p95", "p99", "max")]
    return DataTable(name=name, title=f"Phases: {name}", columns=columns, rows=rows)
