"""Exact quantiles of raw samples, and how far they would move if the samples were drawn again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

P99_NEEDS = 100
"""Below this many samples the 99th percentile is the maximum under another name."""


def quantile(ordered: Sequence[float], q: float) -> float:
    """Nearest rank (inverse of the empirical distribution): the smallest value that at least a share q is not above.

    `ordered` ascends and is not empty; 0 < q <= 1. The result is always one of the samples.
    """
    return ordered[_rank(len(ordered), q) - 1]


def p99(ordered: Sequence[float]) -> float | None:
    """The 99th percentile, None with fewer than 100 samples."""
    return quantile(ordered, 0.99) if len(ordered) >= P99_NEEDS else None


def bootstrap_interval(ordered: Sequence[float], q: float, *, level: float = 0.95) -> tuple[float, float]:
    """The percentile-bootstrap interval of a nearest-rank quantile, exact: the limit of infinitely many resamples.

    A resample's k-th smallest of n is the sample at the position of the k-th smallest of n uniform numbers, and that
    is distributed as Beta(k, n - k + 1) (Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982,
    section 10.1). So nothing is drawn and nothing needs a seed. Samples of one run are drawn, not runs: the interval
    does not say what another run would give.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - a cold start of the command line must not pay for it

    n = len(ordered)
    k = _rank(n, q)
    tail = (1 - level) / 2
    low, high = (float(betaincinv(k, n - k + 1, p)) for p in (tail, 1 - tail))
    return ordered[min(n - 1, math.floor(low * n))], ordered[min(n - 1, math.floor(high * n))]


def _rank(n: int, q: float) -> int:
    # 0.07 * 100 is 7.000000000000001 in binary: without the rounding its rank would be 8.
    return max(1, math.ceil(round(q * n, 9)))


class MeanInterval(NamedTuple):
    """Student's interval for a mean."""

    mean: float
    low: float
    high: float
    deviation: float
    """Standard deviation of one value."""


def mean_interval(values: Sequence[float], miss: float) -> MeanInterval:
    """What may miss the mean with the chance `miss` (0.05 for 95 %), two-sided. At least two independent values, about
    normal: medians of repeats, or their logarithms."""
    n = len(values)
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = _cut(miss, n - 1) * deviation / math.sqrt(n)
    return MeanInterval(mean, mean - half, mean + half, deviation)


@cache
def _cut(miss: float, freedom: int) -> float:
    """Two-sided quantile of Student's distribution."""
    from scipy.stats import t  # noqa: PLC0415 - a cold start of the command line must not pay for it

    return float(t.isf(miss / 2, freedom))
