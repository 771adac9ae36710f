"""How true one trace is to another: of a replay to what was replayed, of a recording to what was recorded. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleet.analysis.stats import quantile
from fleet.model.trace import Pod

MOST_DRIFT = 0.05


@dataclass(frozen=True)
class Drift:
    """The second trace against the first, its times multiplied by the speed at which it was played."""

    pods: int
    """In both, by their key."""
    lost: int
    """In the first alone."""
    life_p50: float
    life_p90: float
    """Relative error of the lives that both know."""
    arrival_p90: float
    """Error of the arrivals, relative to the span from the first to the last."""
    exits: float
    """Share of equal exit codes, of those that the first knows."""
    ends: float
    """Share of equal ends."""

    @property
    def worst(self) -> float:
        """The larger of the errors of lives and arrivals at their 90th percentile."""
        return max(self.life_p90, self.arrival_p90)


def drift(first: Sequence[Pod], second: Sequence[Pod], speed: float = 1.0) -> Drift:
    """Compare by key. Errors are 0 where nothing can be compared."""
    other = {pod.key: pod for pod in second}
    pairs = [(pod, other[pod.key]) for pod in first if pod.key in other]
    lives = sorted(relative(a.life, b.life * speed) for a, b in pairs if a.life and b.life is not None)
    zero_a, zero_b = (min((pair[at].t for pair in pairs), default=0.0) for at in (0, 1))
    span = max((a.t for a, _ in pairs), default=0.0) - zero_a
    arrivals = sorted(abs((b.t - zero_b) * speed - (a.t - zero_a)) / span for a, b in pairs) if span > 0 else []
    known = [(a, b) for a, b in pairs if a.exit is not None]
    return Drift(
        pods=len(pairs),
        lost=len(first) - len(pairs),
        life_p50=quantile(lives, 0.5) if lives else 0.0,
        life_p90=quantile(lives, 0.9) if lives else 0.0,
        arrival_p90=quantile(arrivals, 0.9) if arrivals else 0.0,
        exits=sum(a.exit == b.exit for a, b in known) / len(known) if known else 1.0,
        ends=sum(a.end == b.end for a, b in pairs) / len(pairs) if pairs else 0.0,
    )


def relative(wanted: float, found: float) -> float:
    """How far `found` is from `wanted`, as a part of it."""
    return abs(found - wanted) / wanted


@dataclass(frozen=True)
class Order:
    """Of pairs of moments that were wanted at least so far apart: how many came in their order."""

    pairs: int
    kept: int

    @property
    def share(self) -> float:
        """1 where there is no pair."""
        return self.kept / self.pairs if self.pairs else 1.0


def order(moments: Iterable[tuple[float, float]], apart: float) -> Order:
    """`moments`: wanted and found, in seconds. Pairs that were wanted less than `apart` seconds apart do not count."""
    waiting = sorted(moments)
    passed: list[float] = []
    pairs = kept = behind = 0
    for wanted, found in waiting:
        while waiting[behind][0] <= wanted - apart and behind < len(waiting):
            insort(passed, waiting[behind][1])
            behind += 1
        pairs += len(passed)
        kept += bisect_left(passed, found)
    return Order(pairs, kept)


def share(wanted: Mapping[str, object], found: Mapping[str, object]) -> float:
    """Of what is wanted, the part that was found to be equal; 1 where nothing is wanted."""
    return sum(found.get(key) == value for key, value in wanted.items()) / len(wanted) if wanted else 1.0
