"""Quantiles and intervals against numbers worked out by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.analysis.stats import bootstrap_interval, p99, quantile


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.05, 15), (0.3, 20), (0.4, 20), (0.5, 35), (0.9, 50), (1.0, 50)],
)
def test_nearest_rank_of_the_textbook(q: float, expected: int) -> None:
    """15, 20, 35, 40, 50: rank ceil(q * 5)."""
    assert quantile([15, 20, 35, 40, 50], q) == expected


def test_the_median_of_an_even_number_is_the_lower_one() -> None:
    assert quantile([1, 2, 3, 4], 0.5) == 2


def test_a_rank_is_not_pushed_up_by_binary_fractions() -> None:
    """0.07 * 100 is 7.000000000000001 in floating point; the rank is 7."""
    assert quantile([float(n) for n in range(1, 101)], 0.07) == 7


def test_p99_needs_a_hundred() -> None:
    assert p99([float(n) for n in range(99)]) is None
    assert p99([float(n) for n in range(1, 101)]) == 99
    assert p99([float(n) for n in range(1, 201)]) == 198


def test_the_interval_of_one_sample_is_that_sample() -> None:
    assert bootstrap_interval([3.0], 0.5) == (3.0, 3.0)


def test_the_interval_of_three_by_hand() -> None:
    """n = 3, k = 2: the median of a resample is the smallest sample with P(at least two of three draws are it):
    3 * (1/3)^2 * (2/3) + (1/3)^3 = 7/27 = 0.26 > 0.025, and the largest likewise: so the interval is the range."""
    assert bootstrap_interval([1.0, 2.0, 3.0], 0.5) == (1.0, 3.0)


def test_the_interval_is_what_resampling_gives() -> None:
    """Against 20,000 real resamples of 50: the ends differ by no more than one rank."""
    rng = random.Random(3)  # noqa: S311 - the same draw each time
    ordered = [float(n) for n in range(50)]
    medians = sorted(quantile(sorted(rng.choices(ordered, k=50)), 0.5) for _ in range(20_000))
    low, high = bootstrap_interval(ordered, 0.5)
    assert abs(low - quantile(medians, 0.025)) <= 1
    assert abs(high - quantile(medians, 0.975)) <= 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_is_a_sample_inside_its_interval(values: list[float], q: float) -> None:
    ordered = sorted(values)
    low, high = bootstrap_interval(ordered, q)
    assert low <= quantile(ordered, q) <= high
    assert quantile(ordered, q) in values
    assert sum(value <= quantile(ordered, q) for value in ordered) >= q * len(ordered) - 1e-6
