"""CPU, requests and waiting, worked out by hand from a few samples."""

from __future__ import annotations

import pytest

from fleet.analysis.recorded import Recorded, record
from fleet.analysis.resources import peaks, requests, usages, waiting
from fleet.results.events import Line, MetricSample, ProcessSample, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000


def process(at: int, program: str, cpu: float, mib: int, *, pid: int = 1, cluster: str = "") -> ProcessSample:
    return ProcessSample(
        ns=at * SECOND, wall=0, machine="m", program=program, component=program.partition(".")[0], cluster=cluster,
        pid=pid, cpu_seconds=cpu, rss=mib << 20, fds=mib, threads=1,
    )  # fmt: skip


def metric(at: int, name: str, value: float, labels: str = "verb=GET") -> MetricSample:
    return MetricSample(ns=at * SECOND, wall=0, component="transport", cluster="wds1", name=name, labels=labels,
                        value=value)  # fmt: skip


def of(*lines: Line) -> Recorded:
    return record(lines, MANAGER, source="wds1", object_timeout=None)


def trial(at: int, name: str = "t000", repeat: int = 0) -> TrialPlan:
    return TrialPlan(ns=at * SECOND, wall=0, trial=name, layout="one-to-many", wecs=2, repeat=repeat, clusters=[],
                     kind="pod")  # fmt: skip


def test_cpu_is_cores_since_the_sample_before_of_the_same_process() -> None:
    rows = usages(of(process(10, "etcd.its1", 1.0, 5), process(15, "etcd.its1", 3.5, 5),
                     process(20, "etcd.its1", 0.5, 5, pid=2)))  # fmt: skip
    assert [(row.seconds, row.cpu_cores) for row in rows] == [(0.0, None), (5.0, 0.5), (10.0, None)]


def test_a_component_is_summed_over_its_programs_round_by_round() -> None:
    recorded = of(
        process(0, "kwok.wec001", 0.0, 10, cluster="wec001"), process(0, "kwok.wec002", 0.0, 30, cluster="wec002"),
        process(5, "kwok.wec001", 1.0, 20, cluster="wec001"), process(5, "kwok.wec002", 2.0, 10, cluster="wec002"),
        process(5, "etcd.its1", 0.0, 1, cluster="its1"),
    )  # fmt: skip
    hub, kwok = peaks(usages(recorded), ["its1", "wds1"])
    assert (hub.component, hub.clusters) == ("etcd", "its1")
    assert (kwok.programs, kwok.clusters, kwok.rss_peak, kwok.fds_peak) == (2, "2 clusters", 40 << 20, 40)
    assert kwok.cpu_mean == pytest.approx(0.2 + 0.4)
    assert kwok.cpu_peak == pytest.approx(0.6)


def test_requests_are_the_increment_of_each_counted_trial() -> None:
    """Before the load 100, at its end 130; the second trial adds 10; the warm-up and the pause count for nothing."""
    name = "apiserver_request_total"
    recorded = of(
        metric(1, name, 50), trial(2, "warm", -1), metric(3, name, 100),
        trial(5, "a"), metric(8, name, 130), RunMark(ns=9 * SECOND, wall=0, step="drain", edge="end", trial="a"),
        metric(10, name, 500), trial(11, "b"), metric(12, name, 510),
    )  # fmt: skip
    (row,) = requests(recorded)
    assert (row.cluster, row.setting.wecs, row.verb, row.per_trial) == ("wds1", 2, "GET", 20.0)


def test_a_counter_that_is_new_on_a_page_that_was_read_before_began_at_0() -> None:
    name = "apiserver_request_total"
    recorded = of(metric(1, name, 100), trial(2), metric(3, name, 5, "verb=POST"), metric(4, name, 8, "verb=POST"))
    assert [(row.verb, row.per_trial) for row in requests(recorded)] == [("POST", 8.0)]
    # Nobody knows what it was when the page was read for the first time in the trial itself.
    late = of(trial(2), metric(3, name, 5, "verb=POST"), metric(4, name, 8, "verb=POST"))
    assert [(row.verb, row.per_trial) for row in requests(late)] == [("POST", 3.0)]


def test_a_counter_that_fell_began_anew() -> None:
    name = "apiserver_request_total"
    recorded = of(metric(1, name, 100), trial(2), metric(3, name, 110), metric(4, name, 7))
    assert requests(recorded)[0].per_trial == 17.0


def test_waiting_is_a_share_of_the_trial() -> None:
    name = "rest_client_rate_limiter_duration_seconds_sum"
    recorded = of(
        metric(0, name, 1.0), metric(0, name, 2.0, "verb=PUT"), trial(1), metric(5, name, 3.0),
        metric(5, name, 8.0, "verb=PUT"),
    )  # fmt: skip
    (row,) = waiting(recorded)
    assert (row.component, row.waited, row.elapsed, row.share) == ("transport", 8.0, 4.0, 2.0)
