"""Which machine carries which WECs: by weight, whole numbers, the same answer for the same machines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.errors import UsageError


def shares(weights: Mapping[str, float], count: int) -> dict[str, int]:
    """How many of `count` each machine gets: in proportion, the largest remainders rounded up, earlier machines first.

    Largest remainder method (Hamilton). UsageError for a weight below 0, or when all are 0.
    """
    for machine, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise UsageError(f"wec_weight: {weight!r} of {machine} is not a number from 0")
    total = sum(weights.values())
    if total <= 0:
        raise UsageError("wec_weight: no machine of wec_hosts may carry WECs: give at least one a weight above 0")
    exact = {machine: count * weight / total for machine, weight in weights.items()}
    given = {machine: int(part) for machine, part in exact.items()}
    left = count - sum(given.values())
    for machine in sorted(exact, key=lambda m: exact[m] - given[m], reverse=True)[:left]:
        given[machine] += 1
    return given


def spread(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, list[str]]:
    """The names in order, cut into one run per machine."""
    found, start = {}, 0
    for machine, count in shares(weights, len(names)).items():
        found[machine] = list(names[start : start + count])
        start += count
    return found
