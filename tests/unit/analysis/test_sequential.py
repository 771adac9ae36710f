"""The sequential interval: by hand at one look, and its false alarms and power by many made comparisons."""

from __future__ import annotations

import math
import random

import pytest

from fleet.analysis.sequential import Sequential


def test_the_interval_by_hand() -> None:
    """Ratios 0.1, 0.2, 0.3: mean 0.2, deviation 0.1; the look spends (3/5)^6 of 5 %, and Student's quantile with 2
    degrees of freedom is (1 - 2p) / sqrt(2 p (1 - p)) at an upper tail of p, half of that."""
    found = Sequential(0.05, 5).interval([0.1, 0.2, 0.3])
    assert found is not None
    assert (found.pairs, found.level) == (3, pytest.approx(0.05 * 0.046656))
    assert found.mean == pytest.approx(0.2)
    assert found.deviation == pytest.approx(0.1)
    p = 0.05 * 0.046656 / 2
    half = (1 - 2 * p) / math.sqrt(2 * p * (1 - p)) * 0.1 / math.sqrt(3)
    assert (found.low, found.high) == (pytest.approx(0.2 - half), pytest.approx(0.2 + half))


def test_nothing_is_spent_before_the_first_look_and_all_at_the_last() -> None:
    plan = Sequential(0.01, 6)
    assert [plan.interval([0.1] * count) for count in (0, 1, 2)] == [None, None, None]
    assert (plan.spent(2), plan.spent(6)) == (0.0, pytest.approx(0.01))
    assert sum(plan.spent(k) - plan.spent(k - 1) for k in plan.looks) == pytest.approx(0.01)


def test_more_pairs_than_planned_are_refused() -> None:
    with pytest.raises(ValueError, match="4 pairs: the test was planned for 3"):
        Sequential(0.01, 3).interval([0.1] * 4)


def alarms(level: float, effect: float, deviation: float, comparisons: int) -> int:
    """Of so many comparisons, those in which some look of five pairs excludes 0."""
    plan, dice = Sequential(level, 5), random.Random(1)  # noqa: S311 - no secret
    found = 0
    for _ in range(comparisons):
        ratios = [dice.gauss(effect, deviation) for _ in range(5)]
        found += any(i is not None and i.excludes_zero for i in (plan.interval(ratios[:k]) for k in plan.looks))
    return found


def test_false_alarms_stay_below_the_level_and_a_slowdown_is_found() -> None:
    assert alarms(0.05, 0.0, 0.05, 2000) <= 0.05 * 2000
    assert alarms(0.01 / 3, math.log(1.3), 0.04, 300) >= 0.95 * 300
