"""Ratios of paired repeats, with their spread: what every benchmark prints."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """Median of the paired ratios ours/reference, the 95 % bootstrap interval of that median, and both medians."""

    what: str
    unit: str
    ours: float
    reference: float
    median: float
    low: float
    high: float
    goal: str
    repeats: int

    def line(self) -> str:
        """One row of the printed table."""
        return (
            f"{self.what:<44} {self.ours:>10.4g} {self.reference:>10.4g} {self.unit:<9}"
            f"{self.median:>8.3f}x  [{self.low:.3f}, {self.high:.3f}]  n={self.repeats}  goal {self.goal}"
        )


HEADER = f"{'what':<44} {'ours':>10} {'reference':>10} {'unit':<9}{'ratio':>9}  [95 % interval]"


def paired(what: str, unit: str, ours: Sequence[float], reference: Sequence[float], goal: str) -> Ratio:
    """The ratio of runs made in turn, so that a machine that drifts drifts under both.

    The interval is the percentile bootstrap of the median over the pairs, seeded, so that a print can be made again.
    """
    if len(ours) != len(reference) or not ours:
        raise ValueError(f"{what}: {len(ours)} of ours alongside {len(reference)} of the reference")
    ratios = [a / b for a, b in zip(ours, reference, strict=True)]
    chance = random.Random(1)  # noqa: S311 - resampling, not secrets
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return Ratio(
        what,
        unit,
        statistics.median(ours),
        statistics.median(reference),
        statistics.median(ratios),
        medians[int(0.025 * RESAMPLES)],
        medians[int(0.975 * RESAMPLES) - 1],
        goal,
        len(ratios),
    )
