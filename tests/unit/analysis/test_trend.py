from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymannkendall import hamed_rao_modification_test, original_test

from fleet.analysis.mann_kendall import mann_kendall
from fleet.analysis.trend import Point, Rules, Trend, judge, lower_envelope


def noise(seed: int, n: int, rho: float, spread: float) -> list[float]:
    """A stationary first-order process with that lag-1 correlation and standard deviation."""
    rng = np.random.default_rng(seed)
    value, made = 0.0, []
    for number in range(n + 100):
        value = rho * value + math.sqrt(1 - rho * rho) * float(rng.normal())
        if number >= 100:
            made.append(spread * value)
    return made


def lcg(n: int, seed: int) -> list[int]:
    """Made-up values of 0 to 999 that any language makes alike."""
    made = []
    for _ in range(n):
        seed = (1103515245 * seed + 12345) % 2**31
        made.append(seed % 1000)
    return made


def every(seconds: float, values: list[float]) -> list[Point]:
    return [(seconds * number, value) for number, value in enumerate(values)]


def test_mann_kendall_as_published() -> None:
    """Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), chapter 16: 23 twice, 24 and 29
    three times each; each tie of t takes t (t-1) (2t+5) off."""
    found = mann_kendall([23, 24, 29, 6, 29, 24, 24, 29, 23])
    assert found.s == 3
    assert found.variance == pytest.approx((9 * 8 * 23 - 2 * 1 * 9 - 3 * 2 * 11 - 3 * 2 * 11) / 18)


def test_mann_kendall_by_hand() -> None:
    """1 3 2 4: five pairs rise, one falls: s = 4; variance 4*3*13/18; z = 3 / sqrt(8.6667) when not corrected."""
    found = mann_kendall([1, 3, 2, 4])
    assert (found.s, found.n) == (4, 4)
    assert found.variance == pytest.approx(26 / 3)
    assert found.z == pytest.approx(3 / math.sqrt(26 / 3 * found.correction))
    flat = mann_kendall([5, 5, 5, 5, 5])
    assert (flat.s, flat.z, flat.p) == (0, 0, 1)


def remembering(n: int, seed: int) -> list[float]:
    """A first-order process: each value holds four fifths of the one before."""
    value, values = 0.0, []
    for x in lcg(n, seed):
        value = round(0.8 * value + (x % 100) - 50, 6)
        values.append(value)
    return values


@pytest.mark.parametrize(
    "values",
    [
        *(lcg(n, seed) for n, seed in ((10, 1), (40, 42), (120, 5))),
        [x / 10 + 3 * i for i, x in enumerate(lcg(40, 7))],
        [x // 50 + i // 10 for i, x in enumerate(lcg(60, 11))],
        *(remembering(n, seed) for n, seed in ((30, 9), (80, 3), (200, 4))),
    ],
)
def test_hamed_and_raos_correction_is_pymannkendalls(values: list[float]) -> None:
    found = mann_kendall(values)
    oracle = hamed_rao_modification_test(values)
    plain = original_test(values)
    assert (found.s, found.variance) == (plain.s, pytest.approx(plain.var_s))
    # Where values repeat, the last binary digit decides which are still ties when the slope is taken out.
    loose = 2e-3 if len(set(values)) < len(values) else 1e-6
    assert found.variance * found.correction == pytest.approx(oracle.var_s, rel=loose)
    assert (found.z, found.p) == (pytest.approx(oracle.z, rel=loose), pytest.approx(oracle.p, rel=loose))
    assert found.independent == pytest.approx(len(values) / max(1.0, oracle.var_s / plain.var_s), rel=loose)
    assert mann_kendall(values, cautious=True).correction >= found.correction


def test_a_planted_leak_is_found() -> None:
    """20 % over 30 minutes on noise of 1 % that remembers: slope and interval near the truth."""
    values = [100 + 20 * number / 180 + extra for number, extra in enumerate(noise(1, 181, 0.5, 1.0))]
    found = judge(every(10, values))
    assert found.verdict == "leaking"
    assert found.slope_low < 20 / 1800 < found.slope_high
    assert found.growth == pytest.approx(20 / 1800 * 1440 / found.level, rel=0.2)
    assert found.seconds == 1440


@given(st.integers(0, 10_000), st.floats(0.15, 3.0), st.floats(0.0, 0.6), st.floats(1e-3, 1e9))
@settings(max_examples=25, deadline=None)
def test_a_leak_well_above_the_noise_is_found_at_any_scale(seed: int, growth: float, rho: float, scale: float) -> None:
    values = [scale * (1 + growth * i / 200 + x) for i, x in enumerate(noise(seed, 200, rho, 0.01))]
    assert judge(every(9, values)).verdict == "leaking"


@given(st.integers(0, 10_000), st.floats(0.0, 0.6))
@settings(max_examples=15, deadline=None)
def test_what_shrinks_never_leaks(seed: int, rho: float) -> None:
    values = [10 - 2 * i / 200 + x for i, x in enumerate(noise(seed, 200, rho, 0.05))]
    assert judge(every(9, values)).verdict == "steady"


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_stationary_noise_raises_at_most_one_alarm_in_a_hundred_runs(rho: float) -> None:
    """Noise of 10 % around the level, so that the demand of 5 % growth alone does not protect."""
    verdicts = [judge(every(10, [100 + x for x in noise(seed, 180, rho, 10)])).verdict for seed in range(100)]
    assert verdicts.count("leaking") <= 1


def test_quiet_noise_is_steady() -> None:
    verdicts = [judge(every(10, [100 + x for x in noise(seed, 180, 0.5, 1.0)])).verdict for seed in range(30)]
    assert set(verdicts) == {"steady"}


def test_too_short_is_said() -> None:
    assert judge([]).verdict == "too short to tell"
    few = judge(every(10, [100.0 + number for number in range(24)]))
    assert (few.verdict, few.reason) == ("too short to tell", "19 values after the warm-up, 20 are needed")
    slow = judge(every(10, [100 + x for x in noise(3, 60, 0.98, 5)]))
    assert slow.verdict == "too short to tell"
    loud = judge(every(10, [100 + x for x in noise(4, 40, 0.0, 40)]))
    assert (loud.verdict, "cannot be ruled out" in loud.reason) == ("too short to tell", True)


def test_the_warm_up_is_cut() -> None:
    """Caches fill for the first fifth; nothing grows after it."""
    values = [min(100.0, 50 + 3 * number) + x for number, x in enumerate(noise(5, 100, 0.2, 0.3))]
    assert judge(every(10, values)).verdict == "steady"
    assert judge(every(10, values), Rules(warmup=0.0)).slope_high > judge(every(10, values)).slope_high


def test_a_constant_and_a_level_of_zero() -> None:
    assert judge(every(10, [7.0] * 50)).verdict == "steady"
    assert judge(every(10, [0.0] * 50)).verdict == "steady"
    assert Trend("steady", "", 50, 100.0, slope=2.0, level=50.0).growth == 4
    assert Trend("steady", "", 50, 100.0, slope=2.0, level=0.0).growth == math.inf


def test_many_points_are_averaged_and_tell_the_same() -> None:
    values = [100 + 30 * number / 5000 + x for number, x in enumerate(noise(6, 5000, 0.3, 1.0))]
    found = judge(every(1, values))
    assert (found.verdict, found.points) == ("leaking", 4000)
    assert found.slope == pytest.approx(30 / 5000, rel=0.05)


def test_the_lower_envelope_by_hand() -> None:
    """A saw of a garbage collector: 5 8 | 4 9 | 6, windows of 20 s."""
    assert lower_envelope([(0, 5), (10, 8), (20, 9), (30, 4), (40, 6)], 20) == [(0, 5), (30, 4), (40, 6)]
