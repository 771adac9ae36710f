"""Rises, peaks and histogram quantiles against values worked out by hand."""

from __future__ import annotations

import math

from fleet.analysis.counters import Counter, peaks, rises
from fleet.analysis.histograms import buckets, quantile
from fleet.results.events import MetricSample


def sample(ns: int, value: float, labels: str = "code=200", name: str = "requests") -> MetricSample:
    return MetricSample(ns=ns, wall=ns, component="api", cluster="wec001", name=name, labels=labels, value=value)


KEY = Counter("api", "wec001", "requests", "code=200")


def test_a_counter_rises_from_its_last_value_before_the_span() -> None:
    lines = [sample(1, 10), sample(5, 14), sample(8, 20), sample(12, 99)]
    assert rises(lines, (5, 10)) == {KEY: 6}


def test_one_that_comes_into_being_began_at_zero_and_one_that_falls_was_started_anew() -> None:
    assert rises([sample(6, 3)], (5, 10)) == {KEY: 3}
    assert rises([sample(1, 10), sample(6, 12), sample(7, 4)], (5, 10)) == {KEY: 6}


def test_one_that_did_not_change_is_there_with_nothing() -> None:
    assert rises([sample(1, 10)], (5, 10)) == {KEY: 0}


def test_the_peak_of_a_gauge_is_also_what_it_was_when_the_span_began() -> None:
    assert peaks([sample(1, 7), sample(6, 3), sample(11, 50)], (5, 10)) == {KEY: 7}
    assert peaks([sample(1, 7), sample(6, 9)], (5, 10)) == {KEY: 9}


def test_a_label_is_read_by_its_name() -> None:
    assert Counter("api", "", "n", "code=200,verb=GET").label("verb") == "GET"
    assert Counter("api", "", "n", "code=200").label("verb") == ""


def test_a_quantile_lies_linearly_within_its_bucket() -> None:
    # 4 within 0.5 s, 6 more within 1 s: the median is the 5th of 10, a sixth of the way from 0.5 to 1.
    edges = [(0.5, 4.0), (1.0, 10.0), (math.inf, 10.0)]
    assert quantile(edges, 0.5) == 0.5 + 0.5 / 6
    assert quantile(edges, 0.2) == 0.25


def test_beyond_the_last_edge_it_is_that_edge_and_an_empty_histogram_has_none() -> None:
    assert quantile([(1.0, 2.0), (math.inf, 10.0)], 0.5) == 1.0
    assert quantile([(1.0, 0.0), (math.inf, 0.0)], 0.5) is None
    assert quantile([], 0.5) is None


def test_buckets_are_summed_over_series_and_keep_edges_that_did_not_rise() -> None:
    lines = [
        sample(6, value, f"le={edge},phase={phase}", "phase_seconds_bucket")
        for phase, edge, value in (("a", "1", 0), ("a", "2", 3), ("a", "+Inf", 3), ("b", "2", 5), ("b", "+Inf", 5))
    ]
    found = rises(lines, (5, 10))
    assert buckets(found, "phase_seconds", phase="a") == [(1.0, 0.0), (2.0, 3.0), (math.inf, 3.0)]
    assert buckets(found, "phase_seconds") == [(1.0, 0.0), (2.0, 8.0), (math.inf, 8.0)]
    assert quantile(buckets(found, "phase_seconds", phase="a"), 0.5) == 1.5
