"""Samples in columns, held against the same chosen from a list of them."""

from __future__ import annotations

from collections import Counter

import pytest

from fleet.analysis.join import Join
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import Simulator
from tests.unit.analysis.test_summary import sample


@pytest.fixture(scope="module")
def plain() -> list[Sample]:
    simulator = Simulator()
    simulator.trial("one-to-many", ["wec1", "wec2", "wec3"], objects=2, repeat=-1)
    simulator.trial("one-to-many", ["wec1", "wec2", "wec3"], objects=2, lost=frozenset({"wec3"}))
    simulator.trial("one-to-one", ["wec1", "wec2"], repeat=1)
    join = Join(MANAGER, source="wds1")
    for line in simulator.out.ordered():
        join.feed(line)
    return [*join.samples(), sample(-0.5, stage="report"), sample(None, flags=("gap", "missing"))]


@pytest.fixture
def samples(plain: list[Sample]) -> Samples:
    """Of several tables."""
    return Samples.of(plain[:40]) + plain[40:]


def test_they_are_the_samples_that_went_in(samples: Samples, plain: list[Sample]) -> None:
    assert list(samples) == plain
    assert samples == plain
    assert len(samples) == len(plain)
    assert [samples[0], samples[41], samples[-1]] == [plain[0], plain[41], plain[-1]]
    assert samples[38:42] == plain[38:42]
    with pytest.raises(IndexError):
        samples[len(plain)]
    assert samples != plain[:-1]
    assert not Samples()


def test_they_are_chosen_as_from_a_list(samples: Samples, plain: list[Sample]) -> None:
    assert samples.counted == [s for s in plain if s.counted]
    assert samples.ended == [s for s in plain if s.seconds is not None]
    assert samples.missing == [s for s in plain if s.seconds is None]
    assert samples.negative == [s for s in plain if s.seconds is not None and s.seconds < 0]
    assert samples.of_stages("downsync", "e2e") == [s for s in plain if s.stage in {"downsync", "e2e"}]
    assert samples.flagged("warmup", "gap") == [s for s in plain if {"warmup", "gap"}.intersection(s.flags)]
    assert samples.of_trials({"t001"}) == [s for s in plain if s.trial == "t001"]
    assert samples.of_wecs == [s for s in plain if s.cluster]
    chained = samples.counted.of_stages("downsync").missing
    assert chained == [s for s in plain if s.counted and s.stage == "downsync" and s.seconds is None]
    assert chained


def test_groups_come_in_the_order_of_their_first_samples(samples: Samples, plain: list[Sample]) -> None:
    cells = samples.counted.cells()
    assert list(cells) == list(dict.fromkeys((s.stage, s.setting) for s in plain if s.counted))
    for key, cell in cells.items():
        assert cell == [s for s in plain if s.counted and (s.stage, s.setting) == key]
    assert list(samples.by_trial()) == list(dict.fromkeys(s.trial for s in plain))
    assert samples.by_cluster()["wec2"] == [s for s in plain if s.cluster == "wec2"]


def test_columns_hold_what_the_samples_have(samples: Samples, plain: list[Sample]) -> None:
    ended = [s for s in plain if s.seconds is not None and s.end_ns is not None]
    assert list(samples.seconds()) == [s.seconds for s in plain if s.seconds is not None]
    assert list(samples.ordered()) == sorted(s.seconds for s in plain if s.seconds is not None)
    assert list(samples.ends()) == [s.end_ns for s in ended]
    assert list(samples.starts()) == [s.start_ns for s in plain if s.start_ns is not None]
    assert samples.of_stages("e2e").points(0) == sorted((s.end_ns / 1e9, s.seconds) for s in ended if s.stage == "e2e")
    assert samples.count_flags() == dict(sorted(Counter(flag for s in plain for flag in s.flags).items()))
    assert list(samples.count_stages().items()) == list(Counter(s.stage for s in plain).items())
    assert samples.clusters() == {s.cluster for s in plain} - {""}
    assert samples.trials() == {s.trial for s in plain}
    slow = sorted((s for s in plain if s.seconds is not None), key=lambda s: -(s.seconds or 0.0))
    assert list(samples.slowest_first()) == slow


def test_flags_are_added_to_whole_trials(samples: Samples, plain: list[Sample]) -> None:
    more = samples.with_flags(lambda trial: ("disturbed", "late") if trial == "t001" else ())
    assert [s.flags for s in more] == [
        tuple(sorted({*s.flags, "disturbed", "late"})) if s.trial == "t001" else s.flags for s in plain
    ]
    assert samples == plain
