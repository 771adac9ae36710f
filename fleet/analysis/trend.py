"""Does a quantity grow for as long as it is watched: leaking, steady, or too short to tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Literal

from fleet.analysis.mann_kendall import mann_kendall

Verdict = Literal["leaking", "steady", "too short to tell"]
Point = tuple[float, float]
"""Seconds since the beginning, and the value."""

POINTS_NEEDED = 20
INDEPENDENT_NEEDED = 12.0
"""Values that carry new information, after the correction for autocorrelation."""
ALPHA = 0.01
"""Of the two-sided test."""
_MOST_POINTS = 1000
"""More are averaged in equal stretches first: the tests grow with the square of the number."""


@dataclass(frozen=True)
class Rules:
    """When growth is called a leak."""

    least: float = 0.05
    """Share of the level (median of the first third) that the trend must add over what was watched."""
    warmup: float = 0.2
    """Share of the duration that is cut off in front: caches fill, connections open."""


@dataclass(frozen=True)
class Trend:
    """One series judged; slopes in units per second."""

    verdict: Verdict
    reason: str
    points: int
    """Used, after the warm-up was cut and before averaging."""
    seconds: float
    """Watched, after the warm-up was cut."""
    slope: float = 0.0
    """Theil and Sen's."""
    slope_low: float = 0.0
    slope_high: float = 0.0
    """95 % interval, widened by the autocorrelation."""
    p: float = 1.0
    """Mann-Kendall, two-sided, corrected for autocorrelation."""
    level: float = 0.0
    """Median of the first third."""
    middle: float = 0.0
    """Median of the second third."""
    last: float = 0.0
    """Median of the last third."""

    @property
    def growth(self) -> float:
        """Share of the level that the slope adds over what was watched; infinite above a level of 0."""
        return _share(self.slope * self.seconds, self.level)


def judge(points: Sequence[Point], rules: Rules = Rules()) -> Trend:
    """Leaking needs all of: growth above `rules.least`, at the interval's lower end still above half of it, p < 0.01,
    and each third above the one before."""
    kept = _without_warmup(points, rules.warmup)
    if len(kept) < POINTS_NEEDED:
        text = f"{len(kept)} values after the warm-up, {POINTS_NEEDED} are needed"
        return Trend("too short to tell", text, len(kept), kept[-1][0] - kept[0][0] if kept else 0.0)
    made, independent = _measured(kept)
    verdict, reason = _verdict(made, independent, rules)
    return replace(made, verdict=verdict, reason=reason)


def lower_envelope(points: Sequence[Point], window: float) -> list[Point]:
    """The least value in each window of that many seconds: of a heap, close to what is left after a collection."""
    least: dict[int, Point] = {}
    for at, value in points:
        number = int(at // window)
        if number not in least or value < least[number][1]:
            least[number] = (at, value)
    return [least[number] for number in sorted(least)]


def _without_warmup(points: Sequence[Point], share: float) -> list[Point]:
    ordered = sorted(points)
    if not ordered:
        return []
    begin = ordered[0][0] + share * (ordered[-1][0] - ordered[0][0])
    return [point for point in ordered if point[0] >= begin]


def _averaged(points: Sequence[Point]) -> list[Point]:
    """At most `_MOST_POINTS`, each the mean of a stretch of neighbours."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    edges = [round(len(points) * number / _MOST_POINTS) for number in range(_MOST_POINTS + 1)]
    stretches = [points[a:b] for a, b in pairwise(edges)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in stretches]


def _measured(kept: Sequence[Point]) -> tuple[Trend, float]:
    """The numbers, and how many independent values they are as good as."""
    from scipy.stats import norm, t, theilslopes  # noqa: PLC0415 - a cold start of the command line must not pay for it

    used = _averaged(kept)
    xs, ys = [x for x, _ in used], [y for _, y in used]
    test = mann_kendall(ys, cautious=True)
    # The interval's width goes with the square root of the test's variance: use the wider level instead.
    # The correction is itself an estimate, from few values when they are correlated: Student's quantiles, not Gauss's.
    freedom = max(1.0, test.independent - 2)
    level = 1 - 2 * float(norm.sf(float(t.ppf(0.975, freedom)) * math.sqrt(test.correction)))
    found = theilslopes(ys, xs, alpha=min(level, 1 - 1e-12))
    third = max(1, len(ys) // 3)
    made = Trend(
        verdict="steady",
        reason="",
        points=len(kept),
        seconds=kept[-1][0] - kept[0][0],
        slope=float(found.slope),
        slope_low=float(found.low_slope),
        slope_high=float(found.high_slope),
        p=float(2 * t.sf(abs(test.z), freedom)),
        level=median(ys[:third]),
        middle=median(ys[third:-third] or ys),
        last=median(ys[-third:]),
    )
    return made, test.independent


def _verdict(made: Trend, independent: float, rules: Rules) -> tuple[Verdict, str]:
    growth = made.growth
    told = f"{growth:+.1%} in {made.seconds:.0f} s, p {made.p:.2g}"
    if independent < INDEPENDENT_NEEDED:
        text = f"as good as {independent:.0f} independent values, {INDEPENDENT_NEEDED:.0f} are needed ({told})"
        return "too short to tell", text
    lowest = _share(made.slope_low * made.seconds, made.level)
    rising = made.level < made.middle < made.last
    if growth > rules.least and lowest > rules.least / 2 and made.p < ALPHA and rising:
        return "leaking", told
    highest = _share(made.slope_high * made.seconds, made.level)
    if highest > rules.least:
        return "too short to tell", f"{told}; up to {highest:+.1%} cannot be ruled out"
    return "steady", told


def _share(change: float, level: float) -> float:
    if change == 0:
        return 0.0
    return change / level if level > 0 else math.copysign(math.inf, change)
