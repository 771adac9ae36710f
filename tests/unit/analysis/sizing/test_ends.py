"""Where a machine ends, worked by hand."""

from __future__ import annotations

from collections.abc import Callable

from fleet.analysis.sizing.ends import End, Resource, ends
from fleet.analysis.sizing.estimate import FITTED, Figure
from fleet.analysis.sizing.line import Estimate

MEMORY = Resource("memory", "memory", "memory", 1000.0)
CPU = Resource("cpu", "CPU", "idle_cpu", 2.0)
PORTS = Resource("ports", "ports", "ports", 10.0)


def growing(spread: float | None) -> Callable[[int], list[Figure]]:
    """100 and 10 more for each WEC, `spread` around it; CPU 0.01 of a core each; no ports."""

    def figures(wecs: int) -> list[Figure]:
        value = 100.0 + 10.0 * wecs
        memory = Estimate(value) if spread is None else Estimate(value, value - spread, value + spread)
        return [
            Figure("memory", "memory", "bytes", memory, FITTED),
            Figure("idle_cpu", "CPU", "cores", Estimate(0.01 * wecs), FITTED),
        ]

    return figures


def test_the_first_to_end_is_first_and_has_the_interval_of_its_figure() -> None:
    # 100 + 10 n <= 1000: n = 90. With 50 more: 85, with 50 less: 95. 0.01 n <= 2: n = 200.
    found = ends(growing(50.0), [CPU, MEMORY, PORTS])
    assert found == [End(MEMORY, 90, 85, 95), End(CPU, 200, None, None)]


def test_without_an_interval_there_is_one_number() -> None:
    assert ends(growing(None), [MEMORY]) == [End(MEMORY, 90, None, None)]


def test_what_suffices_for_ever_does_not_end() -> None:
    assert ends(growing(None), [Resource("memory", "memory", "memory", 1e9)]) == []


def test_what_does_not_suffice_for_one_ends_at_none() -> None:
    assert ends(growing(None), [Resource("memory", "memory", "memory", 50.0)])[0].wecs == 0
