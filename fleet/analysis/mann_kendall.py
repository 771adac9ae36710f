"""The Mann-Kendall trend test, with Hamed and Rao's correction for values that resemble their neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIGNIFICANT = 1.959964
"""Autocorrelations of ranks within this many standard errors (1 / sqrt(n)) are taken for 0, as the authors do."""
_NEARLY_ONE = 0.999
_LEAST = 4
"""Below this many values the correction's (n - 2) is no divisor worth having."""


@dataclass(frozen=True)
class MannKendall:
    """`s` > 0: the later values are the larger ones."""

    n: int
    s: int
    variance: float
    """Of `s` when values are independent, ties taken into account."""
    correction: float
    """n / n*: how many values carry as much information as one independent one; below 1 when neighbours alternate."""
    z: float
    """From the corrected variance."""
    p: float
    """Two-sided."""

    @property
    def independent(self) -> float:
        """n*: as many independent values would carry as much information; never more than n."""
        return self.n / max(1.0, self.correction)


def mann_kendall(values: Sequence[float], *, slope: float | None = None, cautious: bool = False) -> MannKendall:
    """The test over values in the order of time.

    `slope` (per step) is taken out before the autocorrelation is looked at; None: it is made here, by Theil and Sen.
    Hamed and Rao, A modified Mann-Kendall trend test for autocorrelated data, Journal of Hydrology 204 (1998).

    `cautious`: taking a slope out of a short, strongly correlated series takes most of its autocorrelation too, and the
    test cries wolf (15 of 100 at lag-1 correlation 0.9 and 48 values). So the correction is also made from the lag-1
    correlation alone, freed of that bias, as Yue and Wang do (Water Resources Management 18, 2004); the larger
    counts, and none below 1.
    """
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it

    series = np.asarray(values, dtype=float)
    n = len(series)
    s = sum(int(np.sign(series[i + 1 :] - series[i]).sum()) for i in range(n - 1))
    _, ties = np.unique(series, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    correction = _correction(series, slope) if n >= _LEAST and variance > 0 else 1.0
    if cautious:
        correction = max(1.0, correction, _lag_one(series, slope) if n > _LEAST and variance > 0 else 1.0)
    spread = math.sqrt(max(0.0, variance * correction))
    z = 0.0 if s == 0 or spread == 0 else (s - math.copysign(1, s)) / spread
    return MannKendall(n, s, variance, correction, z, math.erfc(abs(z) / math.sqrt(2)))


def _centred_ranks(series: NDArray[np.float64], slope: float | None) -> NDArray[np.float64]:
    """Ranks of what the slope leaves, less their mean."""
    import numpy as np  # noqa: PLC0415
    from scipy.stats import rankdata, theilslopes  # noqa: PLC0415

    if slope is None:
        slope = float(theilslopes(series).slope)
    ranks = np.asarray(rankdata(series - slope * np.arange(len(series))), dtype=np.float64)
    return ranks - np.float64(ranks.mean())


def _lag_one(series: NDArray[np.float64], slope: float | None) -> float:
    """n / n* of a first-order process: 1 + 2 * sum over k of (1 - k / n) rho^k.

    With mean and slope taken out, the estimate of rho is too small by about (2 + 4 rho) / n; that is given back.
    """
    centred, n = _centred_ranks(series, slope), len(series)
    energy = float((centred**2).sum())
    rho = float((centred[:-1] * centred[1:]).sum()) / energy if energy > 0 else 0.0
    rho = min(_NEARLY_ONE, (n * rho + 2) / (n - 4))
    return 1.0 if rho <= 0 else 1 + 2 * sum((1 - lag / n) * rho**lag for lag in range(1, n))


def _correction(series: NDArray[np.float64], slope: float | None) -> float:
    """n / n*: 1 + 2 / (n (n-1) (n-2)) * sum over significant lags of (n-i)(n-i-1)(n-i-2) rho(i), rho of the ranks."""
    n, centred = len(series), _centred_ranks(series, slope)
    energy = float((centred**2).sum())
    if energy == 0:
        return 1.0
    total = 0.0
    for lag in range(1, n - 2):
        rho = float((centred[:-lag] * centred[lag:]).sum()) / energy
        if abs(rho) > _SIGNIFICANT / math.sqrt(n):
            total += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho
    return max(1 / n, 1 + 2 * total / (n * (n - 1) * (n - 2)))
