"""The summary, its thresholds, and what the rate limits predict: by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.hop_table import HopTable
from fleet.analysis.prediction import predictions
from fleet.analysis.recorded import record
from fleet.analysis.samples import Sample
from fleet.analysis.summary import Row, summarise
from fleet.analysis.thresholds import failures
from fleet.managers.kubestellar.prediction import predict
from fleet.managers.kubestellar.theory import THEORY
from fleet.managers.token_bucket import bucket
from fleet.model.client_limits import ClientLimits
from fleet.model.experiment_file import Threshold
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import Hops, Simulator

RANK = HopTable(MANAGER).rank


def sample(seconds: float | None, *, flags: tuple[str, ...] = (), wecs: int = 1, stage: str = "downsync") -> Sample:
    end = None if seconds is None else round(seconds * 1e9)
    return Sample(
        trial="t000", repeat=0, layout="one-to-one", wecs=wecs, policy="p", kind="pod", namespace="ns", name="n",
        cluster="wec001", stage=stage, start_ns=0, end_ns=end, seconds=seconds, server_seconds=None,
        flags=flags or (("missing",) if seconds is None else ()),
    )  # fmt: skip


def test_missing_and_warm_up_and_bundled_are_in_no_percentile() -> None:
    (row,) = summarise([
        sample(1.0), sample(2.0), sample(3.0), sample(4.0), sample(None),
        sample(99.0, flags=("warmup",)), sample(-5.0, flags=("bundled", "negative")),
    ], RANK)  # fmt: skip
    assert (row.count, row.missing, row.min, row.p50, row.p90, row.p99, row.max) == (4, 1, 1.0, 2.0, 4.0, None, 4.0)
    assert row.flags == {"missing": 1}


def test_nothing_but_missing() -> None:
    (row,) = summarise([sample(None)], RANK)
    assert (row.count, row.missing, row.p50, row.p50_interval) == (0, 1, None, None)


def test_rows_follow_the_path_then_the_layout_then_the_count() -> None:
    rows = summarise([sample(1.0, wecs=10), sample(1.0, wecs=5), sample(1.0, stage="binding")], RANK)
    assert [(row.stage, row.wecs) for row in rows] == [("binding", 1), ("downsync", 5), ("downsync", 10)]


ROW = Row(stage="downsync", layout="one-to-one", wecs=5, count=15, missing=1, p50=1.0, p90=1.5, max=2.0)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("p50 < 1s", "it is 1.000 s"),
        ("p50 <= 1s", ""),
        ("p90 < 1500ms", "it is 1.500 s"),
        ("max <= 2s", ""),
        ("p99 < 9s", "p99 needs 100 samples and there are 15"),
        ("missing <= 0", "1 are missing"),
        ("missing <= 1", ""),
    ],
)
def test_thresholds(test: str, words: str) -> None:
    found = failures([Threshold(stage="downsync", test=test)], [ROW])
    assert [words in failure.text for failure in found] == ([True] if words else [])


def test_a_threshold_of_an_unknown_stage_fails() -> None:
    (failure,) = failures([Threshold(stage="downsink", test="p50 < 1s")], [ROW])
    assert "no stage of that name" in failure.text


def test_a_bucket_by_hand() -> None:
    assert bucket(200, 5, 10) == 38.0
    assert bucket(10, 5, 10) == 0.0
    assert bucket(1000, 0, 0) == 0.0


def test_floors_by_hand() -> None:
    """One object to 100 WECs at the defaults: 200 calls on the ITS, (200 - 10) / 5 = 38 s."""
    its, wds, bindings, statuses = predict("one-to-many", 100, 1, ClientLimits(), returns=True)
    assert (its, wds, bindings, statuses) == (38.0, 0.0, 0.0, 0.0)
    # a policy per WEC: 100 reads and 100 Bindings on the WDS, and with the statuses 300 writes
    assert predict("one-to-one", 100, 1, ClientLimits(), returns=True) == (38.0, 18.0, 18.0, 58.0)
    # 24 objects: 4800 calls; with all of them in one ManifestWork again 200
    assert predict("one-to-many", 100, 24, ClientLimits(), returns=False)[0] == 958.0
    assert predict("one-to-many", 100, 24, ClientLimits(max_num_wrapped=24), returns=False)[0] == 38.0


def test_predictions_hold_the_floor_against_the_last_wec() -> None:
    sim = Simulator(hops=Hops(jitter=0))
    wecs = [f"wec{number:03d}" for number in range(1, 11)]
    sim.trial("one-to-many", wecs, repeat=-1)
    for repeat in range(2):
        sim.trial("one-to-many", wecs, repeat=repeat)
    recorded = record(sim.out.ordered(), MANAGER, source="wds1", object_timeout=None)
    (row,) = predictions(recorded, recorded.join.samples(), {}, THEORY)
    # 10 WECs: 20 calls, (20 - 10) / 5 = 2 s, and the hold-back's 2
    assert (row.wecs, row.objects, row.floors[0].seconds, row.downsync_floor) == (10, 1, 2.0, 4.0)
    # bind 2.099 + package 0.02 + 4 * 0.4 + deliver 0.06 + activate 0.015, by the simulator's hops
    assert row.downsync_measured == pytest.approx(3.794)
    assert row.ratio == pytest.approx(3.794 / 4)


def test_a_trial_that_is_not_whole_is_not_measured_against_the_floor() -> None:
    sim = Simulator()
    sim.trial("one-to-many", ["wec001", "wec002"], lost=frozenset({"wec002"}))
    recorded = record(sim.out.ordered(), MANAGER, source="wds1", object_timeout=None)
    (row,) = predictions(recorded, recorded.join.samples(), {}, THEORY)
    assert (row.downsync_measured, row.ratio) == (None, None)
