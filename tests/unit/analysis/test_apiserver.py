"""Curves of an API server, worked out by hand from a few scrapes."""

from __future__ import annotations

from fleet.analysis.apiserver import EXECUTING, INFLIGHT, QUEUED, REQUESTS, curves
from fleet.analysis.recorded import Recorded, record
from fleet.results.events import MetricSample
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000
START = 100
"""Seconds on the driver's clock; a run does not begin with the machine."""


def metric(at: int, name: str, labels: str, value: float, cluster: str = "its1") -> MetricSample:
    return MetricSample(
        ns=(START + at) * SECOND,
        wall=0,
        component="kube-apiserver",
        cluster=cluster,
        name=name,
        labels=labels,
        value=value,
    )


def of(*lines: MetricSample) -> Recorded:
    return record(lines, MANAGER, source="wds1", object_timeout=None)


def test_requests_are_rates_by_verb_summed_over_the_other_labels() -> None:
    found = curves(
        of(
            metric(10, REQUESTS, "code=200,verb=GET", 100), metric(10, REQUESTS, "code=404,verb=GET", 10),
            metric(10, REQUESTS, "code=201,verb=POST", 5),
            metric(15, REQUESTS, "code=200,verb=GET", 150),
            metric(20, REQUESTS, "code=404,verb=GET", 20), metric(20, REQUESTS, "code=201,verb=POST", 105),
            metric(20, REQUESTS, "code=200,verb=GET", 900, cluster="wds1"),
        ),
        "its1",
    )  # fmt: skip
    assert found.requests == {"POST": [(5.0, 0.0), (10.0, 20.0)], "GET": [(5.0, 10.0), (10.0, 2.0)]}
    assert found.inflight == {}


def test_a_counter_that_fell_began_anew() -> None:
    found = curves(of(metric(0, REQUESTS, "verb=GET", 50), metric(10, REQUESTS, "verb=GET", 20)), "its1")
    assert found.requests == {"GET": [(10.0, 2.0)]}


def test_in_flight_by_priority_level_goes_on_as_it_was_and_tells_the_queue() -> None:
    found = curves(
        of(
            metric(0, EXECUTING, "priority_level=workload-low", 3), metric(0, EXECUTING, "priority_level=exempt", 0),
            metric(0, QUEUED, "priority_level=workload-low", 0),
            metric(5, QUEUED, "priority_level=workload-low", 7),
            metric(10, EXECUTING, "priority_level=workload-low", 0), metric(10, INFLIGHT, "request_kind=mutating", 9),
        ),
        "its1",
    )  # fmt: skip
    assert found.inflight == {
        "workload-low, queued": [(0.0, 0.0), (5.0, 7.0), (10.0, 7.0)],
        "workload-low": [(0.0, 3.0), (5.0, 3.0), (10.0, 0.0)],
    }


def test_an_older_run_has_all_levels_together() -> None:
    found = curves(of(metric(0, INFLIGHT, "request_kind=mutating", 2)), "its1")
    assert found.inflight == {"mutating": [(0.0, 2.0)]}
