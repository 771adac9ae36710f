from __future__ import annotations

import pytest

from fleet.analysis.dispatch import METRIC, dispatches
from fleet.analysis.recorded import record
from fleet.results.events import MetricSample, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER


def buckets(ns: int, **counts: float) -> list[MetricSample]:
    """Cumulative counts up to 1 ms, 5 ms and all."""
    edges = {"fast": "0.001", "slow": "0.005", "all": "+Inf"}
    return [
        MetricSample(ns=ns, wall=ns, component="kube-apiserver", cluster="its1", name=f"{METRIC}_bucket",
                     labels=f"le={edges[name]},stage=total", value=value)
        for name, value in counts.items()
    ]  # fmt: skip


def test_what_rose_in_the_counted_trials() -> None:
    plan = TrialPlan(ns=10, wall=10, trial="t000", layout="one-to-one", wecs=1, repeat=0, clusters=[], kind="pod")
    marks = [RunMark(ns=at, wall=at, step="load", edge=edge, trial="t000") for at, edge in ((11, "begin"), (30, "end"))]
    lines = [*buckets(5, fast=7, slow=8, all=9), plan, *marks, *buckets(20, fast=57, slow=107, all=109)]
    (found,) = dispatches(record(lines, MANAGER, source="wds1", object_timeout=None))
    assert (found.cluster, found.stage, found.events) == ("its1", "total", 100)
    # 50 of 100 rose below 1 ms, 49 between 1 and 5 ms: the 99th lies at the upper edge.
    assert (found.p50, found.p99) == (pytest.approx(0.001), pytest.approx(0.005))


def test_nothing_where_nobody_has_it() -> None:
    assert dispatches(record([], MANAGER, source="wds1", object_timeout=None)) == []
