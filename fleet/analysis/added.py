"""What something adds to a latency, against baselines interleaved with it: differences with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVEL = 0.95
BLOCKS = 20
"""Of a trial: requests that follow each other share its moments (a collection of garbage, a flush), so blocks of them
are drawn again, not single ones."""
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
MEAN = "mean"


@dataclass(frozen=True)
class Pair:
    """A baseline and what came right after it; latencies in the order in which they were sent."""

    base: Sequence[float]
    other: Sequence[float]


@dataclass(frozen=True)
class Added:
    """A difference of one statistic, with its percentile-bootstrap interval at LEVEL."""

    estimate: float
    low: float
    high: float


def added(pairs: Sequence[Pair], *, seed: int, draws: int = 500) -> dict[str, Added]:
    """By statistic (`mean` and QUANTILES): that of all others less that of all baselines.

    Resampled in two stages (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8): pairs,
    because trials differ, then blocks within each of their trials. With one pair the interval has only what varies
    within it. Nothing where no pair has latencies on both sides.
    """
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it

    usable = [
        tuple(np.asarray(side, dtype=float) for side in (pair.base, pair.other))
        for pair in pairs
        if len(pair.base) and len(pair.other)
    ]
    if not usable:
        return {}
    names = (MEAN, *QUANTILES)
    levels = list(QUANTILES.values())

    def statistics(values: np.ndarray) -> np.ndarray:
        return np.concatenate([[values.mean()], np.quantile(values, levels, method="inverted_cdf")])

    def difference(sides: Sequence[tuple[np.ndarray, ...]]) -> np.ndarray:
        base, other = (np.concatenate([side[at] for side in sides]) for at in (0, 1))
        return np.asarray(statistics(other) - statistics(base))

    random = np.random.default_rng(seed)

    def drawn(values: np.ndarray) -> np.ndarray:
        length = math.ceil(len(values) / BLOCKS)
        starts = random.integers(0, len(values) - length + 1, size=math.ceil(len(values) / length))
        return np.concatenate([values[start : start + length] for start in starts])[: len(values)]

    resampled = np.array(
        [
            difference([tuple(map(drawn, usable[at])) for at in random.integers(0, len(usable), size=len(usable))])
            for _ in range(draws)
        ]
    )
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    estimates = difference(usable)
    return {
        name: Added(float(estimate), float(below), float(above))
        for name, estimate, below, above in zip(names, estimates, low, high, strict=True)
    }
