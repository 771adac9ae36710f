"""Round trips per stage: the slope by hand, what is as predicted, and what runs have no such thing."""

from __future__ import annotations

import pytest

from fleet.analysis import roundtrips
from fleet.analysis.hop_table import HopTable
from fleet.analysis.roundtrips import RoundTrips, waits
from fleet.analysis.samples import Sample
from fleet.managers.kubestellar.theory import THEORY
from fleet.results.format1_manager import MANAGER


def round_trips(samples: list[Sample]) -> list[RoundTrips]:
    return roundtrips.round_trips(samples, HopTable(MANAGER).rank, THEORY.link)


def sample(
    trial: str, rtt_ms: float | None, seconds: float | None, stage: str = "delivery", there: float = 0.0
) -> Sample:
    end = None if seconds is None else round(seconds * 1e9)
    return Sample(
        trial=trial, repeat=0, layout="one-to-many", wecs=2, policy="p", kind="configmap", namespace="ns", name="n",
        cluster="wec001", stage=stage, start_ns=round(there * 1e9), end_ns=end, seconds=seconds, server_seconds=None,
        flags=("missing",) if seconds is None else (), point="" if rtt_ms is None else f"rtt_ms={rtt_ms:g}",
    )  # fmt: skip


def test_the_slope_is_in_round_trips() -> None:
    # 30 ms without delay, and 1.5 round trips: 180 ms at 100 ms, 330 ms at 200 ms. The medians of the trials count.
    samples = [
        sample("t0", 0, 0.030), sample("t0", 0, 0.020), sample("t0", 0, 0.900),
        sample("t1", 100, 0.180), sample("t2", 200, 0.330), sample("t2", 200, None),
    ]  # fmt: skip
    (row,) = round_trips(samples)
    assert (row.stage, row.layout, row.wecs, row.trials) == ("delivery", "one-to-many", 2, 3)
    assert row.measured == pytest.approx(1.5)
    assert row.base == pytest.approx(0.030)
    assert row.predicted == pytest.approx(1.5)
    assert row.agrees is True


def test_works_that_come_together_wait_for_each_other() -> None:
    # At 100 ms: the first at once, the second and third behind it; the fourth comes when all is done, and nobody waits.
    assert waits([0.0, 0.0, 0.05, 1.0], 0.1) == pytest.approx([0.0, 0.1, 0.15, 0.0])
    assert waits([0.0, 0.0], 0.0) == [0.0, 0.0]
    # Three at once: 1.5, 2.5 and 3.5 round trips, the median of which is 2.5. Two of one work ask once.
    samples = [
        sample(f"t{rtt}", rtt, 0.02 + share * rtt / 1000, there=there)
        for rtt in (0, 100, 200)
        for there, share in ((0.0, 1.5), (0.0, 1.5), (1e-6, 2.5), (2e-6, 3.5))
    ]
    (row,) = round_trips(samples)
    assert row.predicted == pytest.approx(2.5, abs=1e-3)
    assert row.measured == pytest.approx(2.0)


def test_two_trials_have_no_interval_and_one_delay_no_slope() -> None:
    (row,) = round_trips([sample("t0", 0, 0.030), sample("t1", 100, 0.130)])
    assert (row.measured, row.low, row.high) == (pytest.approx(1.0), None, None)
    assert row.agrees is False
    assert round_trips([sample("t0", 100, 0.1), sample("t1", 100, 0.2)]) == []


def test_other_runs_have_none() -> None:
    assert round_trips([sample("t0", None, 0.030), sample("t1", None, 0.130)]) == []


def test_rows_follow_the_path() -> None:
    stages = ("activation", "delivery", "report", "binding")
    found = round_trips([sample(f"t{rtt}", rtt, 0.1 + rtt / 1000, stage) for stage in stages for rtt in (0, 100)])
    assert [row.stage for row in found] == ["binding", "delivery", "activation", "report"]
    assert [row.predicted for row in found] == [0.0, pytest.approx(1.5), 0.0, None]


@pytest.mark.parametrize(
    ("measured", "low", "high", "agrees"),
    [(1.7, 1.6, 1.8, True), (2.0, 1.4, 2.6, True), (2.0, 1.9, 2.1, False), (2.0, None, None, False)],
)
def test_as_predicted_is_close_or_not_told_apart(
    measured: float, low: float | None, high: float | None, agrees: bool
) -> None:
    row = RoundTrips(
        stage="delivery", layout="one-to-one", wecs=1, predicted=1.5, measured=measured, low=low, high=high, base=0.0,
        trials=9,
    )  # fmt: skip
    assert row.agrees is agrees
    assert row.model_copy(update={"predicted": None}).agrees is None
