"""The arithmetic of the bench of one control plane, worked by hand."""

import math

import pytest

from tests.bench.plane_cost import Sample, slope


def _of(planes: int, heap: float) -> Sample:
    return Sample(planes, heap, 0, 0, 0, 0, 0, 0, 0, 0)


def test_a_slope_leaves_out_what_is_fixed() -> None:
    per, half, fixed = slope([_of(2, 60.0), _of(6, 100.0), _of(12, 160.0)], "heap")
    assert per == pytest.approx(10.0)
    assert fixed == pytest.approx(40.0)
    assert half == pytest.approx(0.0, abs=1e-9)


def test_the_interval_is_students() -> None:
    """Over 0, 1, 2: values 0, 2, 1. Slope 1/2, residuals -1/2, 1, -1/2; s^2 = 1.5/1; Sxx = 2; error sqrt(0.75)."""
    per, half, _ = slope([_of(0, 0.0), _of(1, 2.0), _of(2, 1.0)], "heap")
    assert per == pytest.approx(0.5)
    assert half == pytest.approx(12.7062 * math.sqrt(0.75), rel=1e-4)
