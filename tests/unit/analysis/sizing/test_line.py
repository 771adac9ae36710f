"""Lines and their estimates, worked by hand."""

from __future__ import annotations

import math

import pytest

from fleet.analysis.sizing.line import Declared, Estimate, line_of


def test_a_line_has_the_interval_of_one_more_measurement() -> None:
    # x 0 1 2 3, y 1 3 4 8: slope 2.2, fixed 0.7, error sqrt(0.9), t(0.975, 2) = 4.302653; at 4 the variance is 2.5.
    line = line_of([(0, 1), (1, 3), (2, 4), (3, 8)])
    assert line is not None
    half = 4.302653 * math.sqrt(0.9 * 2.5)
    found = line.at(4)
    assert (found.value, found.low, found.high) == pytest.approx((9.5, 9.5 - half, 9.5 + half))
    assert (line.least, line.most) == (0, 3)


def test_two_points_have_a_line_and_no_error() -> None:
    line = line_of([(10, 30), (20, 50)])
    assert line is not None
    assert line.at(40) == Estimate(90)


def test_one_number_of_wecs_gives_no_line() -> None:
    assert line_of([(10, 30), (10, 31), (10, 32)]) is None
    assert line_of([]) is None


def test_an_estimate_is_scaled_shifted_and_bounded_with_its_interval() -> None:
    one = Estimate(4, 2, 6)
    assert one.times(1.5) == Estimate(6, 3, 9)
    assert one.plus(1) == Estimate(5, 3, 7)
    assert Estimate(-1, -3, 1).at_least(0) == Estimate(0, 0, 1)
    assert Estimate(4).times(2).plus(1).at_least(10) == Estimate(10)


def test_what_is_declared_has_no_interval_and_may_end_at_a_shard() -> None:
    assert Declared(100, 3).at(10) == Estimate(130)
    assert Declared(100, 3, most=4).at(10) == Estimate(112)
