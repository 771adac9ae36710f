"""Which resource of a machine ends first as a fleet grows, and at how many WECs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fleet.analysis.sizing.estimate import Figure

MOST = 100_000
"""WECs; what lasts for so many does not end."""


@dataclass(frozen=True)
class Resource:
    """What the machine has of something, and which figure takes of it."""

    name: str
    text: str
    figure: str
    available: float


@dataclass(frozen=True)
class End:
    """A resource that lasts for `wecs` WECs and no further one."""

    resource: Resource
    wecs: int
    earliest: int | None
    """With the upper end of the interval."""
    latest: int | None
    """With the lower end; None: it has no interval, or does not end."""


def ends(figures: Callable[[int], Iterable[Figure]], resources: Iterable[Resource]) -> list[End]:
    """Those that end at all, the first first. Each search computes figures some 17 times."""
    found = []
    for resource in resources:
        last = _last(figures, resource, lambda figure: figure.estimate.value)
        if last is None:
            continue
        earliest = _last(figures, resource, lambda figure: figure.estimate.high)
        latest = _last(figures, resource, lambda figure: figure.estimate.low)
        found.append(End(resource, last, earliest, latest))
    return sorted(found, key=lambda end: end.wecs)


def _last(
    figures: Callable[[int], Iterable[Figure]], resource: Resource, of: Callable[[Figure], float | None]
) -> int | None:
    """Most WECs for which it lasts; None where that is not known, or it lasts for `MOST`. Figures grow with the
    WECs."""

    def lasts(wecs: int) -> bool | None:
        known: Mapping[str, Figure] = {figure.name: figure for figure in figures(wecs)}
        need = of(known[resource.figure]) if resource.figure in known else None
        return None if need is None else need <= resource.available

    if lasts(MOST) is not False:
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lasts(middle) else (low, middle)
    return low
