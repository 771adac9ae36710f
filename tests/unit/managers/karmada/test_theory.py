"""Floors of Karmada's client limits, by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.theory import Burden, theory_of
from fleet.managers.karmada.theory import THEORY
from fleet.model.client_limits import ClientLimits

LIMITS = ClientLimits().model_dump()


def test_it_is_found_by_the_managers_name() -> None:
    assert theory_of("karmada") is THEORY
    assert THEORY.floors(Burden("one-to-many", 5, 1, 10, returns=True), {}) is None


@pytest.mark.parametrize(
    ("layout", "wecs", "policies", "objects", "there", "scheduled", "back"),
    [
        # 10 objects to 50 WECs: 10 * (2 + 50) = 520 writes, (520 - 60) / 40 = 11.5 s; with 2 * 10 statuses 12.0 s.
        ("one-to-many", 50, 1, 10, 11.5, 0.0, 12.0),
        # A policy per WEC, 50 * 10 objects of 3 writes: (1500 - 60) / 40 = 36 s; 500 bindings: (500 - 60) / 40 = 11 s.
        ("one-to-one", 50, 50, 10, 36.0, 11.0, 61.0),
        ("one-to-many", 5, 1, 2, 0.0, 0.0, 0.0),
    ],
)
def test_floors(
    layout: str, wecs: int, policies: int, objects: int, there: float, scheduled: float, back: float
) -> None:
    found = THEORY.floors(Burden(layout, wecs, policies, objects, returns=True), LIMITS)
    assert found is not None
    assert [floor.seconds for floor in found.each] == [there, scheduled]
    assert (found.fixed, found.status) == (0.0, back)
    silent = THEORY.floors(Burden(layout, wecs, policies, objects, returns=False), LIMITS)
    assert silent is not None
    assert silent.status is None
