"""A quantity against the number of WECs: the line through what was measured, or one that is only declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fleet.analysis.line_fit import LineFit, fit_line

Point = tuple[float, float]
"""WECs, value."""
FEWEST_COUNTS = 2
"""Different numbers of WECs: one gives no slope."""


@dataclass(frozen=True)
class Estimate:
    """A value with the interval of one more measurement (95 %); None where its error is not known."""

    value: float
    low: float | None = None
    high: float | None = None

    def times(self, factor: float) -> Estimate:
        """Scaled; `factor` > 0."""
        return Estimate(
            self.value * factor,
            None if self.low is None else self.low * factor,
            None if self.high is None else self.high * factor,
        )

    def plus(self, known: float) -> Estimate:
        """More by what is known exactly."""
        return Estimate(
            self.value + known,
            None if self.low is None else self.low + known,
            None if self.high is None else self.high + known,
        )

    def at_least(self, least: float) -> Estimate:
        """Nothing of it below `least`: no fleet takes less than nothing, and no object is faster than its floor."""
        return Estimate(
            max(least, self.value),
            None if self.low is None else max(least, self.low),
            None if self.high is None else max(least, self.high),
        )


@dataclass(frozen=True)
class Line:
    """Least squares through `points` (`fleet.analysis.line_fit`); two points have a line and no error."""

    points: tuple[Point, ...]

    @cached_property
    def fit(self) -> LineFit | None:
        """None for two points."""
        return fit_line(self.points)

    @property
    def least(self) -> int:
        """Fewest WECs that it was measured with."""
        return round(min(x for x, _ in self.points))

    @property
    def most(self) -> int:
        """Most of them."""
        return round(max(x for x, _ in self.points))

    def at(self, wecs: int) -> Estimate:
        """With that many WECs."""
        if self.fit is not None:
            return Estimate(self.fit.at(wecs), *self.fit.prediction_interval(wecs))
        (x, y), (other_x, other_y) = self.points
        return Estimate(y + (other_y - y) / (other_x - x) * (wecs - x))


@dataclass(frozen=True)
class Declared:
    """What the check before a build estimates with: rounded up, no measurement, no error."""

    fixed: float
    each: float
    most: int | None = None
    """WECs that count: those of one shard, where it is a matter of one process."""

    def at(self, wecs: int) -> Estimate:
        """With that many WECs."""
        counted = wecs if self.most is None else min(wecs, self.most)
        return Estimate(self.fixed + self.each * counted)


def line_of(points: Sequence[Point]) -> Line | None:
    """None where only one number of WECs was measured."""
    return Line(tuple(points)) if len({x for x, _ in points}) >= FEWEST_COUNTS else None
