"""The latency spectrum: every percentile that the number of samples supports, the tail stretched."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = 120
"""Of one line, at most; the last is always there."""


def spectrum(ordered: Sequence[float]) -> list[tuple[float, float]]:
    """(1 / (1 - share below), value) per step: 1 is the smallest sample, n the largest of n.

    No further than n allows: the largest of n samples says what a share of 1 - 1/n stays below, and nothing of what
    lies above. `ordered` ascends. Of many samples the steps are chosen evenly on the stretched axis.
    """
    n = len(ordered)
    ranks = range(n) if n <= POINTS else sorted({*_even(n), n - 1})
    return [(n / (n - rank), ordered[rank]) for rank in ranks]


def _even(n: int) -> list[int]:
    """Ranks at even distances of log(n / (n - rank))."""
    return [min(n - 1, round(n - n ** (1 - number / (POINTS - 1)))) for number in range(POINTS)]
