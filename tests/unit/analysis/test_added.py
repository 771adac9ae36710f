"""Added latency: the estimate is exact, the interval has what trials and blocks vary by."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.analysis.added import Pair, added


def test_a_constant_shift_is_found_exactly_and_its_interval_has_no_width() -> None:
    flat = Pair([5.0] * 100, [7.0] * 100)
    found = added([flat, flat], seed=1, draws=50)
    assert set(found) == {"mean", "p50", "p95", "p99"}
    assert {(one.estimate, one.low, one.high) for one in found.values()} == {(2.0, 2.0, 2.0)}


def test_the_interval_of_nothing_added_holds_0_and_of_much_does_not() -> None:
    random = np.random.default_rng(7)
    same = [Pair(random.exponential(10, 400), random.exponential(10, 400)) for _ in range(4)]
    slower = [Pair(pair.base, np.asarray(pair.other) + 10) for pair in same]
    nothing, much = added(same, seed=1)["mean"], added(slower, seed=1)["mean"]
    assert nothing.low < 0 < nothing.high
    assert much.low > 5
    assert much.estimate - nothing.estimate == pytest.approx(10)


def test_pairs_that_differ_widen_it() -> None:
    alike = added([Pair([1.0] * 40, [2.0] * 40)] * 3, seed=1)["mean"]
    apart = added([Pair([1.0] * 40, [value] * 40) for value in (1.0, 2.0, 3.0)], seed=1)["mean"]
    assert alike.estimate == apart.estimate == 1.0
    assert apart.high - apart.low > 0.5 > alike.high - alike.low


def test_a_pair_without_latencies_on_one_side_says_nothing() -> None:
    assert added([Pair([], [1.0])], seed=1) == {}
    assert added([Pair([], [1.0]), Pair([1.0], [4.0])], seed=1)["p99"].estimate == 3.0
