"""How far one sample lies from another: Hodges-Lehmann shift with interval, Mann-Whitney p, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
"""Of the interval."""
TAIL_LEVEL = 0.99
"""Of each side's tail quantile: two such intervals that do not touch are a chance of about 1 in 4,000, so that no
correction for a hundred cells is needed."""
_EXACT_SIZE = 20
"""Up to this many on each side, and without ties, the null distribution is counted out instead of approximated."""
_ENUMERATED = 1_000_000
"""Up to this many pairs, all differences are made; beyond, the wanted one is found by bisection."""


@dataclass(frozen=True)
class Shift:
    """B against A: positive means that B is larger (for latencies: slower). In the unit of the samples."""

    estimate: float
    """Hodges-Lehmann: the median of all differences b - a."""
    low: float
    high: float
    """The interval of `estimate` at `LEVEL`."""
    p: float
    """Two-sided Mann-Whitney, not yet corrected for the number of tests."""
    design_effect: float
    """How much larger the variance is because samples of one group resemble each other; 1 when they do not."""


def shift(a: Sequence[float], b: Sequence[float], groups: tuple[Sequence[Hashable], Sequence[Hashable]]) -> Shift:
    """Shift of `b` against `a`; neither is empty. `groups` name the trial of each sample, for the design effect.

    Samples of one trial share its luck, so they count for less than independent ones: the variance of the rank sum
    is multiplied by the design effect 1 + (m - 1) * ICC of the ranks (Kish 1965; for rank sums Rosner, Glynn and Lee,
    Biometrics 59, 2003), and with few trials the normal distribution gives way to Student's.
    """
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it
    from scipy.stats import mannwhitneyu, rankdata, t  # noqa: PLC0415

    x, y = np.sort(np.asarray(a, dtype=float)), np.sort(np.asarray(b, dtype=float))
    pooled = np.concatenate([np.asarray(a, dtype=float), np.asarray(b, dtype=float)])
    ranks: NDArray[np.float64] = rankdata(pooled)
    labels = [("a", group) for group in groups[0]] + [("b", group) for group in groups[1]]
    effect = _design_effect(ranks, labels, len(a))
    n, m = len(a), len(b)
    tied = len(np.unique(pooled)) < len(pooled)
    if effect > 1:
        freedom = max(1, len(set(labels)) - 2)
        spread = math.sqrt(_rank_sum_variance(ranks, n, m) * effect)
        u = float(ranks[n:].sum()) - m * (m + 1) / 2
        distance = max(0.0, abs(u - n * m / 2) - 0.5)
        p = 1.0 if spread == 0 else float(2 * t.sf(distance / spread, freedom))
        cut = _normal_cut(n, m, effect, float(t.ppf((1 + LEVEL) / 2, freedom)))
    elif max(n, m) <= _EXACT_SIZE and not tied:
        p = float(mannwhitneyu(b, a, alternative="two-sided", method="exact").pvalue)
        cut = _exact_cut(n, m)
    else:
        p = 1.0 if len(np.unique(pooled)) == 1 else float(mannwhitneyu(b, a, method="asymptotic").pvalue)
        cut = _normal_cut(n, m, 1.0, 1.959964)
    return Shift(
        estimate=_median_difference(x, y),
        low=difference(x, y, cut),
        high=difference(x, y, n * m + 1 - cut),
        p=min(1.0, p),
        design_effect=effect,
    )


def tail_interval(ordered: Sequence[float], q: float, effect: float) -> tuple[float, float]:
    """Interval of a nearest-rank quantile at `TAIL_LEVEL`, from as many independent samples as the effect leaves.

    The exact bootstrap of `fleet.analysis.stats`, with n / effect in the place of n.
    """
    from scipy.special import betaincinv  # noqa: PLC0415

    n, size = len(ordered), len(ordered) / effect
    outside = (1 - TAIL_LEVEL) / 2
    low, high = (float(betaincinv(q * size, (1 - q) * size + 1, p)) for p in (outside, 1 - outside))
    return ordered[min(n - 1, math.floor(low * n))], ordered[min(n - 1, math.floor(high * n))]


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the chance of even one false alarm in the family stays below the level."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = highest
    return corrected


def difference(x: NDArray[np.float64], y: NDArray[np.float64], k: int) -> float:
    """The k-th smallest (from 1) of all differences y - x. Both ascend; k is brought into range."""
    import numpy as np  # noqa: PLC0415

    k = min(max(1, k), len(x) * len(y))
    if len(x) * len(y) <= _ENUMERATED:
        every = np.subtract.outer(y, x).ravel()
        return float(np.partition(every, k - 1)[k - 1])
    low, high = float(y[0] - x[-1]), float(y[-1] - x[0])
    while True:
        middle = low + (high - low) / 2
        if middle in (low, high) or high - low <= 1e-12 * max(1.0, abs(low), abs(high)):
            return high
        if int(np.searchsorted(y, x + middle, side="right").sum()) >= k:
            high = middle
        else:
            low = middle


def _median_difference(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    pairs = len(x) * len(y)
    lower = difference(x, y, (pairs + 1) // 2)
    return lower if pairs % 2 else (lower + difference(x, y, pairs // 2 + 1)) / 2


def _normal_cut(n: int, m: int, effect: float, quantile: float) -> int:
    """Rank of the interval's lower end among the differences (Hollander and Wolfe, section 4.3)."""
    return max(1, math.floor(n * m / 2 - quantile * math.sqrt(effect * n * m * (n + m + 1) / 12)))


def _exact_cut(n: int, m: int) -> int:
    """The same from the exact distribution of U: the smallest u with P(U <= u) >= (1 - LEVEL) / 2, at least 1."""
    counts = [1] + [0] * (n * m)
    for size in range(1, m + 1):  # Gaussian binomial: times (1 - q^(n + size)), divided by (1 - q^size)
        for u in range(n * m, n + size - 1, -1):
            counts[u] -= counts[u - n - size]
        for u in range(size, n * m + 1):
            counts[u] += counts[u - size]
    wanted, total = (1 - LEVEL) / 2 * math.comb(n + m, n), 0
    for u, count in enumerate(counts):
        total += count
        if total >= wanted:
            return max(1, u)
    return n * m


def _rank_sum_variance(ranks: NDArray[np.float64], n: int, m: int) -> float:
    """Of U without grouping: the finite-population form, which takes care of ties by itself."""
    size = n + m
    return n * m / (size * (size - 1)) * float(((ranks - (size + 1) / 2) ** 2).sum())


def _design_effect(ranks: NDArray[np.float64], labels: Sequence[Any], split: int) -> float:
    """1 + (m - 1) * ICC, with the intraclass correlation of the ranks by one-way analysis of variance per side."""
    members: dict[Any, list[float]] = {}
    for rank, label in zip(ranks, labels, strict=True):
        members.setdefault(label, []).append(float(rank))
    size, count = len(ranks), len(members)
    if count in (2, size) or size <= count:
        return 1.0
    side = {"a": float(ranks[:split].mean()), "b": float(ranks[split:].mean())}
    means = {label: sum(values) / len(values) for label, values in members.items()}
    between = sum(len(values) * (means[label] - side[label[0]]) ** 2 for label, values in members.items())
    within = sum((value - means[label]) ** 2 for label, values in members.items() for value in values)
    between, within = between / max(1, count - 2), within / (size - count)
    typical = sum(len(values) ** 2 for values in members.values()) / size
    spread = between + (typical - 1) * within
    if spread <= 0:
        return 1.0
    return max(1.0, 1 + (typical - 1) * (between - within) / spread)
