"""WECs over machines: in proportion, whole, in order, all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import UsageError
from fleet.model.spread import shares, spread


def test_hand_worked() -> None:
    assert shares({"m1": 1, "m2": 1, "m3": 1}, 10) == {"m1": 4, "m2": 3, "m3": 3}
    # 7 * 2/5 = 2.8, 7 * 1/5 = 1.4, 1.4, 1.4: the largest remainder is m1's.
    assert shares({"m1": 2, "m2": 1, "m3": 1, "m4": 1}, 7) == {"m1": 3, "m2": 2, "m3": 1, "m4": 1}
    assert spread({"m1": 0, "m2": 1}, ["a", "b"]) == {"m1": [], "m2": ["a", "b"]}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.integers(0, 300))
def test_all_are_given_once_and_in_order(weights: list[float], count: int) -> None:
    given_weights = {f"m{number}": weight for number, weight in enumerate(weights)}
    if sum(weights) <= 0:
        with pytest.raises(UsageError, match="wec_weight"):
            shares(given_weights, count)
        return
    names = [f"wec{number:03d}" for number in range(count)]
    found = spread(given_weights, names)
    assert [name for part in found.values() for name in part] == names
    for machine, weight in given_weights.items():
        assert abs(len(found[machine]) - count * weight / sum(weights)) < 1 + 1e-9


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_named(weight: float) -> None:
    with pytest.raises(UsageError, match="m2"):
        shares({"m1": 1, "m2": weight}, 3)
