"""Rates, the prediction and what limits a trial, against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.analysis.counters import Counter
from fleet.experiments.scheduler_throughput import series
from fleet.experiments.scheduler_throughput.spec import Scheduler
from fleet.experiments.scheduler_throughput.throughput import Throughput
from fleet.results.events import TrialPlan

SECOND = 10**9


def trial(**fields: Any) -> Throughput:
    """1,000 pods at 50 a second, the first 100 at once, by the default client; begun 2 s before the first."""
    plan = TrialPlan(ns=0, wall=0, trial="t000", layout="", wecs=1, repeat=0, clusters=["wec001"], kind="", point="")
    bound = [5 * SECOND] * 100 + [5 * SECOND + n * SECOND // 50 for n in range(1, 901)]
    made: dict[str, Any] = {
        "plan": plan, "scheduler": Scheduler(name="default"), "load": "one-group", "pods": 1000, "early": False,
        "begin_ns": 3 * SECOND, "bound_ns": bound, "created_ns": [n * SECOND // 500 for n in range(1000)], "own": {},
        "cores": {"kube-apiserver.wec001": 1.0, "etcd.wec001": 0.2}, "busy": 0.5,
    }  # fmt: skip
    return Throughput(**(made | fields))


def counter(name: str, value: float, **labels: str) -> dict[Counter, float]:
    text = ",".join(f"{key}={label}" for key, label in labels.items())
    return {Counter("scheduler-default", "wec001", name, text): value}


def test_the_default_limit() -> None:
    one = trial()
    assert one.first == 2.0
    assert one.makespan == 18.0
    assert one.predicted == 18.0
    assert one.difference == 0.0
    assert one.rate == pytest.approx(50.0, rel=0.01)
    assert one.whole == pytest.approx(50.0)  # 1,000 in 20 s
    assert one.limited_by == "its client's limit (50 requests a second)"


def test_a_burst_that_covers_all_pods_cannot_bind() -> None:
    one = trial(scheduler=Scheduler(name="raised", qps=5000, burst=5000))
    assert one.predicted is None
    assert one.difference is None
    assert one.limited_by == "not known: take profiles"


def test_what_else_limits_in_its_order() -> None:
    raised = Scheduler(name="raised", qps=5000, burst=5000)
    cycle = counter(f"{series.ALGORITHM}_sum", 17.0)
    assert trial(scheduler=raised, own=cycle).limited_by == "its scheduling cycle, which worked 94% of the time"
    busy = trial(scheduler=raised, busy=0.97)
    assert busy.limited_by == ("CPU: the machine was 97% busy (cores: kube-apiserver.wec001 1.00, etcd.wec001 0.20)")
    put_off = trial(scheduler=raised, busy=0.97, refused=380)
    assert put_off.limited_by == "the API server: its priority and fairness put off 380 binds (429)"
    created = [n * SECOND // 52 for n in range(1000)]
    early = trial(scheduler=raised, early=True, created_ns=created, own=cycle)
    assert early.limited_by == "creation: 52 pods a second were offered"
    gated = trial(scheduler=raised, early=True, deepest=9.0, busy=0.97)
    assert gated.limited_by == "what lets pods through to it: 9 of them at most were in its queue"
    assert trial(scheduler=raised, early=True, deepest=10.0, busy=0.97).limited_by.startswith("CPU")
    assert trial(bound_ns=[5 * SECOND] * 999).limited_by == "not all pods were bound"
    assert trial(bound_ns=[]).limited_by == "not all pods were bound"


def test_waits_for_the_limit_are_per_bind() -> None:
    own = counter(f"{series.LIMITER}_sum", 30.0, verb="POST") | counter(f"{series.LIMITER}_count", 1000.0, verb="POST")
    assert trial(own=own | counter(f"{series.LIMITER}_sum", 9.0, verb="GET")).waited == 0.03
