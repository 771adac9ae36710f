"""A straight line through points by least squares: slope and level with their intervals, and what the line leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95
"""Of every interval."""
FEWEST = 3
"""Points; two lie on a line whatever they are."""


@dataclass(frozen=True)
class LineFit:
    """y = fixed + slope * x over `points` points with errors that are alike everywhere.

    Intervals are Student's t with points - 2 degrees of freedom (Draper and Smith, Applied Regression Analysis, 3rd
    edition, section 1.4).
    """

    slope: float
    fixed: float
    points: int
    error: float
    """Standard deviation of the residuals."""
    mean_x: float
    spread_x: float
    """Sum of the squared distances of x from its mean."""
    quantile: float
    """Of Student's t, for the interval's half width in standard errors."""

    @property
    def half_width(self) -> float:
        """Of the slope's interval."""
        return self.quantile * self.error / math.sqrt(self.spread_x)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the slope."""
        return self.slope - self.half_width, self.slope + self.half_width

    def at(self, x: float) -> float:
        """The line there."""
        return self.fixed + self.slope * x

    def mean_interval(self, x: float) -> tuple[float, float]:
        """Of the line itself there."""
        return self._around(x, 0.0)

    def prediction_interval(self, x: float) -> tuple[float, float]:
        """Of one more measurement there."""
        return self._around(x, 1.0)

    def _around(self, x: float, own: float) -> tuple[float, float]:
        spread = own + 1 / self.points + (x - self.mean_x) ** 2 / self.spread_x
        half = self.quantile * self.error * math.sqrt(spread)
        return self.at(x) - half, self.at(x) + half


def fit_line(points: Sequence[tuple[float, float]]) -> LineFit | None:
    """Of (x, y); None for fewer than three points or a single x."""
    count = len(points)
    if count < FEWEST or len({x for x, _ in points}) == 1:
        return None
    from scipy.stats import t  # noqa: PLC0415 - a cold start of the command line must not pay for it

    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread_x = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread_x
    fixed = mean_y - slope * mean_x
    left = sum((y - fixed - slope * x) ** 2 for x, y in points)
    error = math.sqrt(left / (count - 2))
    return LineFit(slope, fixed, count, error, mean_x, spread_x, float(t.ppf((1 + LEVEL) / 2, count - 2)))
