"""What sharing an ITS takes, worked out by hand from a few samples."""

from __future__ import annotations

import pytest

from fleet.analysis.recorded import record
from fleet.analysis.summary import Row
from fleet.managers.kubestellar.sharing import sharing
from fleet.results.events import Line, MetricSample, ProcessSample, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000
MIB = 1 << 20


def trial(at: int, name: str, wdses: int, repeat: int = 0) -> list[Line]:
    """A trial whose load takes 10 s from `at` on."""
    stamps = {"ns": at * SECOND, "wall": 0}
    used = [f"wds{number}" for number in range(1, wdses + 1)]
    return [
        TrialPlan(**stamps, trial=name, layout="one-to-many", wecs=4, repeat=repeat, clusters=[], kind="pod",
                  point=f"wdses={wdses}", sources=used),
        RunMark(**stamps, step="load", edge="begin", trial=name),
        RunMark(ns=(at + 10) * SECOND, wall=0, step="drain", edge="end", trial=name),
    ]  # fmt: skip


def process(at: int, component: str, cluster: str, cpu: float, mib: int, pid: int = 1) -> ProcessSample:
    return ProcessSample(ns=at * SECOND, wall=0, machine="m", program=f"{component}.{cluster}", component=component,
                         cluster=cluster, pid=pid, cpu_seconds=cpu, rss=mib * MIB)  # fmt: skip


def asked(at: int, value: float, cluster: str = "its1") -> MetricSample:
    return MetricSample(ns=at * SECOND, wall=0, component="kube-apiserver", cluster=cluster, labels="verb=GET",
                        name="apiserver_request_total", value=value)  # fmt: skip


def row(stage: str, point: str, p50: float, most: float) -> Row:
    return Row(stage=stage, layout="one-to-many", wecs=4, point=point, count=4, missing=0, p50=p50, max=most)


LINES: list[Line] = [
    *trial(100, "a", 1),
    process(100, "kube-apiserver", "its1", 5.0, 300), process(110, "kube-apiserver", "its1", 7.0, 320),
    process(100, "transport", "wds1", 1.0, 40), process(110, "transport", "wds1", 1.5, 50),
    # It rests: of no account, however much it holds.
    process(100, "etcd", "wds2", 1.0, 500), process(110, "etcd", "wds2", 9.0, 500),
    asked(100, 1000), asked(110, 1300), asked(100, 5, "wds1"), asked(110, 900, "wds1"),
    *trial(200, "b", 2),
    process(200, "kube-apiserver", "its1", 8.0, 330), process(210, "kube-apiserver", "its1", 12.0, 340),
    # Started again between the points: what it had used before is not of this trial.
    process(200, "transport", "wds1", 0.5, 30, pid=2), process(210, "transport", "wds1", 1.5, 35, pid=2),
    process(200, "transport", "wds2", 0.2, 30), process(210, "transport", "wds2", 0.7, 45),
    asked(200, 2000), asked(210, 2500),
]  # fmt: skip


def test_each_point_has_its_latency_and_what_the_its_and_its_wdses_took() -> None:
    rows = [
        row("downsync", "wdses=1", 3.0, 9.0),
        row("e2e", "wdses=1", 4.0, 10.0),
        row("downsync", "wdses=2", 2.5, 5.0),
    ]
    one, two = sharing(
        record(LINES, MANAGER, source="wds1", object_timeout=None), rows, {"wds1": "its1", "wds2": "its1"}
    )
    assert (one.wdses, one.trials, one.downsync_p50, one.downsync_max, one.e2e_p50, one.e2e_max) == (1, 1, 3, 9, 4, 10)
    assert (one.whole, one.its_requests, one.its_rss_bytes) == (10.0, 300.0, 320 * MIB)
    assert (one.its_cpu_seconds, one.wds_cpu_seconds) == (pytest.approx(2.0), pytest.approx(0.5))
    assert one.wds_rss_bytes == 50 * MIB
    assert (two.wdses, two.e2e_p50, two.its_requests) == (2, None, 500.0)
    assert two.its_cpu_seconds == pytest.approx(4.0)
    # 1.0 s and 0.5 s; the etcd of wds2 used nothing that was seen meanwhile.
    assert two.wds_cpu_seconds == pytest.approx(1.5)
    assert two.wds_rss_bytes == (35 + 45) * MIB


def test_other_runs_have_none_and_a_warm_up_is_not_counted() -> None:
    assert (
        sharing(record(trial(1, "w", 2, repeat=-1), MANAGER, source="wds1", object_timeout=None), [], {"wds1": "its1"})
        == []
    )


def test_of_several_itses_those_are_summed_whose_wdses_were_used_and_all_agents() -> None:
    more = [
        process(100, "kube-apiserver", "its2", 1.0, 250), process(110, "kube-apiserver", "its2", 1.5, 250),
        process(200, "kube-apiserver", "its2", 2.0, 260), process(210, "kube-apiserver", "its2", 3.5, 270),
        process(100, "ocm-agent", "wec001", 0.5, 20), process(110, "ocm-agent", "wec001", 0.75, 21),
        process(100, "status-agent", "its2", 0.5, 30), process(110, "status-agent", "its2", 0.5, 30),
        asked(200, 10, "its2"), asked(210, 50, "its2"),
    ]  # fmt: skip
    lines = sorted([*LINES, *more], key=lambda line: line.ns)
    one, two = sharing(record(lines, MANAGER, source="wds1", object_timeout=None), [], {"wds1": "its1", "wds2": "its2"})
    assert (one.itses, one.its_requests, one.its_rss_bytes) == (1, 300.0, 320 * MIB)
    assert one.its_cpu_seconds == pytest.approx(2.0)
    assert (one.agents_cpu_seconds, one.agents_rss_bytes) == (pytest.approx(0.25), (21 + 30) * MIB)
    assert (two.itses, two.its_requests, two.its_rss_bytes) == (2, 540.0, (340 + 270) * MIB)
    assert two.its_cpu_seconds == pytest.approx(4.0 + 1.5)
