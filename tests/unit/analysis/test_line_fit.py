"""The straight line, against a case worked by hand."""

from __future__ import annotations

import math

import pytest

from fleet.analysis.line_fit import fit_line


def test_by_hand() -> None:
    # x 0 1 2 3, y 1 3 4 8: means 1.5 and 4, Sxx 5, Sxy (-1.5)(-3) + (-.5)(-1) + (.5)(0) + (1.5)(4) = 11: slope 2.2,
    # fixed 0.7; residuals .3 .1 -1.1 .7, squares .09 .01 1.21 .49 = 1.8, error sqrt(1.8 / 2); t(0.975, 2) = 4.302653.
    line = fit_line([(0, 1), (1, 3), (2, 4), (3, 8)])
    assert line is not None
    assert (line.slope, line.fixed, line.points) == (pytest.approx(2.2), pytest.approx(0.7), 4)
    assert line.error == pytest.approx(math.sqrt(0.9))
    half = 4.302653 * math.sqrt(0.9 / 5)
    assert line.interval == pytest.approx((2.2 - half, 2.2 + half))
    # At x = 4: 9.5, the line's variance 1/4 + 2.5^2 / 5 = 1.5, one more measurement's 2.5.
    assert line.mean_interval(4) == pytest.approx(
        (9.5 - 4.302653 * math.sqrt(0.9 * 1.5), 9.5 + 4.302653 * math.sqrt(0.9 * 1.5))
    )
    low, high = line.prediction_interval(4)
    assert (high - low) / 2 == pytest.approx(4.302653 * math.sqrt(0.9 * 2.5))


def test_too_little_for_a_line() -> None:
    assert fit_line([(0, 1), (1, 2)]) is None
    assert fit_line([(2, 1), (2, 2), (2, 3)]) is None
