"""What is drawn over time and over percentiles, by hand: phases, spectrum, lag of WECs, heat map."""

from __future__ import annotations

import pytest

from fleet.analysis.lag import Cell, heat_map, lags, stage_of
from fleet.analysis.phases import phases
from fleet.analysis.recorded import record
from fleet.analysis.samples import Sample
from fleet.analysis.spectrum import POINTS, spectrum
from fleet.results.events import RunMark
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000


def sample(cluster: str, seconds: float | None, *, trial: str = "t0", ended: float = 1.0, **changes: object) -> Sample:
    end = None if seconds is None else round(ended * SECOND)
    fields = {
        "trial": trial, "repeat": 0, "layout": "one-to-one", "wecs": 2, "policy": "", "kind": "pod", "namespace": "ns",
        "name": "x", "cluster": cluster, "stage": "downsync", "start_ns": 0, "end_ns": end, "seconds": seconds,
        "server_seconds": None, "flags": () if seconds is not None else ("missing",),
    }  # fmt: skip
    return Sample(**{**fields, **changes})


def test_a_spectrum_goes_as_far_as_its_samples_and_no_further() -> None:
    assert spectrum([1.0, 2.0, 4.0, 8.0]) == [(1.0, 1.0), (pytest.approx(4 / 3), 2.0), (2.0, 4.0), (4.0, 8.0)]
    assert spectrum([5.0]) == [(1.0, 5.0)]


def test_a_long_spectrum_keeps_both_ends_and_the_tail() -> None:
    ordered = [float(number) for number in range(100_000)]
    found = spectrum(ordered)
    assert len(found) <= POINTS + 1
    assert found[0] == (1.0, 0.0)
    assert found[-1] == (100_000.0, 99_999.0)
    assert sum(1 for x, _ in found if x >= 1000) >= 30  # of 101, two of the five decades


def test_phases_leave_the_steps_out_that_hold_others() -> None:
    def mark(at: int, step: str, edge: str, trial: str = "t0") -> RunMark:
        return RunMark(ns=at * SECOND, wall=0, step=step, edge=edge, trial=trial)

    lines = [
        mark(1, "trial", "begin"), mark(2, "load", "begin"), mark(5, "load", "end"), mark(5, "drain", "begin"),
        mark(9, "drain", "end"), mark(9, "trial", "end"), mark(10, "clean-up", "begin", ""), mark(12, "other", "begin"),
    ]  # fmt: skip
    found = phases(record(lines, MANAGER, source="wds1", object_timeout=None))
    assert [(one.name, one.start, one.end) for one in found] == [
        ("load", 1.0, 4.0), ("drain", 4.0, 8.0), ("clean-up", 9.0, 11.0), ("other", 11.0, 11.0)
    ]  # fmt: skip
    assert str(found[0]) == "load of t0, 1.0 to 4.0 s"


def test_lag_is_against_the_median_of_the_same_trial() -> None:
    """wec2 is slow in both trials; the second trial is slow as a whole, which is nobody's lag."""
    found = lags(
        [
            *(sample(f"wec{n}", s) for n, s in ((1, 1.0), (2, 4.0), (3, 2.0))),
            *(sample(f"wec{n}", s, trial="t1", ended=9) for n, s in ((1, 11.0), (2, 14.0), (3, 12.0))),
            sample("wec2", None),
            sample("wec3", 99.0, flags=("warmup",)),
        ],
        "downsync",
        0,
    )
    assert [(one.cluster, one.lag, one.median, one.worst, one.missing) for one in found] == [
        ("wec2", 2.0, 9.0, 14.0, 1), ("wec3", 0.0, 7.0, 12.0, 0), ("wec1", -1.0, 6.0, 11.0, 0)
    ]  # fmt: skip
    assert found[0].points == [(1.0, 4.0), (9.0, 14.0)]


def test_a_heat_map_has_the_median_of_each_cell_and_no_cell_where_nothing_ended() -> None:
    lines = [sample("wec1", 1.0, ended=1), sample("wec1", 3.0, ended=1.5), sample("wec2", 9.0, ended=10)]
    made = heat_map(lags(lines, "downsync", 0), columns=5, rows=2)
    assert made.clusters == ["wec2", "wec1"]
    assert made.width == 2.0
    assert made.cells == [Cell(0, 4, 9.0), Cell(1, 0, 2.0)]
    assert heat_map(lags(lines, "downsync", 0), columns=5, rows=1).clusters == ["wec2"]


def test_a_stage_needs_two_wecs() -> None:
    assert stage_of([sample("wec1", 1.0), sample("wec2", None)], ["downsync"]) == ""
    assert stage_of([sample("wec1", 1.0), sample("wec2", 2.0)], ["e2e", "downsync"]) == "downsync"
