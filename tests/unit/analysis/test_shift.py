from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.analysis import shift as module
from fleet.analysis.shift import difference, holm, shift, tail_interval


def alone(a: list[float], b: list[float]) -> tuple[range, range]:
    """Every sample is a group of its own."""
    return range(len(a)), range(len(a), len(a) + len(b))


def test_the_textbook_example() -> None:
    """Permeability of human chorioamnion, Hollander and Wolfe (1973), table 4.1: R's wilcox.test(x, y, conf.int=TRUE)
    gives W = 35, p = 0.2544, difference 0.305, 95 % interval -0.15 to 0.76."""
    x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    y = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = shift(y, x, alone(y, x))
    assert found.estimate == pytest.approx(0.305)
    assert (found.low, found.high) == pytest.approx((-0.15, 0.76))
    assert found.p == pytest.approx(0.2544, abs=5e-5)
    assert found.design_effect == 1


def test_by_hand() -> None:
    """Differences of {1, 2, 4} and {3, 7}: 2, 1, -1, 6, 5, 3. Sorted -1 1 2 3 5 6: median 2.5. Of the 10 orders, U
    takes 0 and 6 once each, 1 and 5 once; P(U <= 0) = 0.1 > 0.025, so the interval is all of it. U = 5 of 6:
    P(U >= 5) = 2/10, two-sided 0.4."""
    found = shift([1, 2, 4], [3, 7], alone([1, 2, 4], [3, 7]))
    assert (found.estimate, found.low, found.high) == (2.5, -1, 6)
    assert found.p == pytest.approx(0.4)


def test_ties_and_constants() -> None:
    same = [2.0] * 30
    found = shift(same, same, alone(same, same))
    assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)
    moved = shift(same, [3.0] * 30, alone(same, same))
    assert (moved.estimate, moved.low, moved.high) == (1, 1, 1)
    assert moved.p < 1e-9


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12), st.lists(st.integers(-50, 50), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_laws(a: list[int], b: list[int]) -> None:
    one, back = shift(a, b, alone(a, b)), shift(b, a, alone(b, a))
    assert one.low <= one.estimate <= one.high
    assert back.estimate == -one.estimate
    assert (back.low, back.high) == (-one.high, -one.low)
    assert back.p == pytest.approx(one.p)
    lifted = shift(a, [value + 7 for value in b], alone(a, b))
    assert lifted.estimate == one.estimate + 7


def test_bisection_finds_the_same_difference_as_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y = np.sort(rng.exponential(2, 70)), np.sort(rng.exponential(3, 50))
    x[10:15] = x[10]
    ks = (1, 2, 17, 1750, 1751, 3499, 3500)
    exact = [difference(x, y, k) for k in ks]
    monkeypatch.setattr(module, "_ENUMERATED", 0)
    assert [difference(x, y, k) for k in ks] == pytest.approx(exact, abs=1e-11)


def test_large_samples_take_no_square_of_memory() -> None:
    rng = np.random.default_rng(4)
    a, b = list(rng.normal(10, 1, 20_000)), list(rng.normal(10.5, 1, 20_000))
    found = shift(a, b, alone(a, b))
    assert abs(found.estimate - 0.5) < 0.03  # three standard errors
    assert found.high - found.low < 0.06


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(150):
        a, b = list(rng.exponential(1, 30)), list(rng.exponential(1, 25) + 0.3)
        found = shift(a, b, alone(a, b))
        hits += found.low <= 0.3 <= found.high
    assert 0.91 <= hits / 150 <= 0.99


def test_samples_of_one_trial_do_not_count_as_independent() -> None:
    """Trials differ by luck alone (3 of 40 samples each): naive tests cry wolf most of the time, ours about 5 %."""
    rng = np.random.default_rng(6)

    def run() -> tuple[list[float], list[int]]:
        luck = rng.normal(0, 0.3, 3)
        return [float(rng.normal(2 + luck[trial], 0.2)) for trial in range(3) for _ in range(40)], sorted(
            [0, 1, 2] * 40
        )

    naive = false = 0
    for _ in range(100):
        (a, trials_a), (b, trials_b) = run(), run()
        naive += shift(a, b, alone(a, b)).p < 0.05
        false += shift(a, b, (trials_a, trials_b)).p < 0.05
    assert naive > 50
    assert false <= 12


def test_a_design_effect_by_hand() -> None:
    """One side 1 2 / 9 10, the other 3 4 / 7 8 (ranks 1 2 7 8 and 3 4 5 6): side means 4.5; trial means 1.5, 7.5, 3.5,
    5.5. Between: 2 * (9 + 9 + 1 + 1) / (4 - 2) = 20; within: 8 * 0.25 / 4 = 0.5; m = 2: ICC = 19.5 / 20.5."""
    found = shift([1, 2, 9, 10], [3, 4, 7, 8], (["p", "p", "q", "q"], ["p", "p", "q", "q"]))
    assert found.design_effect == pytest.approx(1 + 19.5 / 20.5)


def test_holm_by_hand() -> None:
    """Sorted 0.005 0.01 0.03 0.04 times 4 3 2 1: 0.02 0.03 0.06 0.04, and none may be below the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=10))
@settings(max_examples=50, deadline=None)
def test_holm_keeps_the_order_and_never_lowers(values: list[float]) -> None:
    corrected = holm(values)
    assert all(one >= raw for one, raw in zip(corrected, values, strict=True))
    order = sorted(range(len(values)), key=values.__getitem__)
    assert [corrected[i] for i in order] == sorted(corrected)


def test_the_interval_of_a_tail_is_the_bootstraps_and_widens_with_the_design_effect() -> None:
    ordered = [float(number) for number in range(1, 101)]
    rng = np.random.default_rng(8)
    drawn = np.sort(rng.choice(ordered, (20_000, 100)), axis=1)[:, 89]
    low, high = tail_interval(ordered, 0.9, 1.0)
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.005, 0.995])), abs=1)
    wide = tail_interval(ordered, 0.9, 4.0)
    assert wide[0] < low < high <= wide[1]
