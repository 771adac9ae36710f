"""A sequential test on paired log ratios: after each pair an interval, and all of them together hold at one level.

The level is spent over the looks by the power family alpha * (k / K)^rho of Kim and DeMets ("Design and analysis of
group sequential tests based on the type I error spending rate function", Biometrika 74, 1987), after Lan and DeMets
("Discrete sequential boundaries for clinical trials", Biometrika 70, 1983). What a look may spend is the level of a
two-sided t interval at that look, so the chance that any of the intervals misses the true ratio is at most the sum
(Boole), whatever the looks have in common: a repeated confidence interval in the sense of Jennison and Turnbull
("Interim analyses: the repeated confidence interval approach", J. R. Statist. Soc. B 51, 1989). What is assumed is
that the log ratios of pairs are independent and about normal; that of two medians is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.stats import mean_interval

FIRST_LOOK = 3
"""Pairs before the first look: two have one degree of freedom, and an interval that says nothing."""
SPENDING_POWER = 6.0
"""Of k / K: at 5 pairs three quarters of the level are left for the last look. Steeper finds little more then (1.3x
between pairs that spread by 5 %: 97.0 % at 3, 98.9 % at 6, 99.5 % at 12) and stops later."""


@dataclass(frozen=True)
class Interval:
    """Of the mean log ratio after so many pairs; 0 is no difference, above it B is larger."""

    pairs: int
    mean: float
    low: float
    high: float
    deviation: float
    """Standard deviation of one pair."""
    level: float
    """What this look alone may miss."""

    @property
    def excludes_zero(self) -> bool:
        """The ratio is not 1."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Sequential:
    """The plan of a test: fixed before the first pair."""

    level: float
    """Chance that any interval of any look misses, for one quantity."""
    most: int
    """Pairs at most; at least `FIRST_LOOK`."""

    @property
    def looks(self) -> range:
        """Numbers of pairs after which is looked."""
        return range(FIRST_LOOK, self.most + 1)

    def spent(self, pairs: int) -> float:
        """What may have been spent after so many pairs; the whole level at the last."""
        return 0.0 if pairs < FIRST_LOOK else self.level * min(1.0, pairs / self.most) ** SPENDING_POWER

    def interval(self, ratios: Sequence[float]) -> Interval | None:
        """After the pairs with these log ratios; None before the first look. ValueError after more than `most`."""
        pairs = len(ratios)
        if pairs > self.most:
            raise ValueError(f"{pairs} pairs: the test was planned for {self.most}")
        if pairs < FIRST_LOOK:
            return None
        level = self.spent(pairs) - self.spent(pairs - 1)
        found = mean_interval(ratios, level)
        return Interval(pairs, found.mean, found.low, found.high, found.deviation, level)
