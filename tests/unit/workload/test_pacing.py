"""Load shapes: moments by hand, seeds, and the distribution of those that are drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError
from scipy.stats import kstest

from fleet.errors import SpecError
from fleet.model.load_shape import LoadShape
from fleet.workload.pacing import Schedule, schedule

DRAWS = 2000
LEAST_P = 0.05


def moments(shape: dict[str, Any], count: int, seed: str = "1") -> Schedule:
    return schedule(LoadShape.model_validate(shape), count, seed=seed)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # A bucket of 3 is full: three at once, then one each half second.
        ({"globalQPSLoad": {"qps": 2, "burst": 3}}, (0.0, 0.0, 0.0, 0.5, 1.0)),
        ({"globalQPSLoad": {"qps": 4}}, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ({"steppedLoad": {"burstSize": 2, "stepDelay": "10s"}}, (0.0, 0.0, 10.0, 10.0, 20.0)),
        ({"steppedLoad": {"burstSize": 1, "stepDelay": "1m"}}, (0.0, 60.0, 120.0, 180.0, 240.0)),
        ({"trace": {"times": ["3s", "0s", "500ms", "2s", "1m", "2m"]}}, (0.0, 0.5, 2.0, 3.0, 60.0)),
    ],
)
def test_moments_by_hand(shape: dict[str, Any], expected: tuple[float, ...]) -> None:
    made = moments(shape, 5)
    assert made.offsets == expected
    assert made.parallel is None


def test_a_limited_parallelism_has_no_schedule() -> None:
    assert moments({"parallelismLimitedLoad": {"parallelismLimit": 4}}, 3) == Schedule((0.0, 0.0, 0.0), 4)


def pauses(shape: dict[str, Any]) -> list[float]:
    offsets = moments(shape, DRAWS).offsets
    return [offsets[0], *(later - earlier for earlier, later in pairwise(offsets))]


def test_the_pauses_of_a_poisson_load_are_exponential() -> None:
    found = pauses({"poissonLoad": {"expectedActionsPerSecond": 50}})
    assert kstest(found, "expon", args=(0, 1 / 50)).pvalue > LEAST_P
    # The test sees it: half the rate, and even pauses, are refused.
    assert kstest(found, "expon", args=(0, 1 / 25)).pvalue < 1e-6
    assert kstest(found, "uniform", args=(0, 2 / 50)).pvalue < 1e-6


def test_the_pauses_of_a_randomized_load_are_even_up_to_twice_the_mean() -> None:
    found = pauses({"randomizedLoad": {"averageQps": 10}})
    assert kstest(found, "uniform", args=(0, 0.2)).pvalue > LEAST_P


@pytest.mark.parametrize("name", ["poissonLoad", "randomizedLoad"])
def test_the_seed_decides_and_nothing_else(name: str) -> None:
    parameter = {"poissonLoad": "expectedActionsPerSecond", "randomizedLoad": "averageQps"}[name]
    shape = {name: {parameter: 1}}
    assert moments(shape, 50) == moments(shape, 50)
    assert moments(shape, 50).offsets == moments(shape, 80).offsets[:50]
    assert moments(shape, 50, "1") != moments(shape, 50, "2")


def test_a_trace_with_too_few_moments_is_refused() -> None:
    with pytest.raises(SpecError, match=r"load.trace: 2 moments for 3 objects"):
        moments({"trace": {"times": ["0s", "1s"]}}, 3)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({}, "name exactly one load shape"),
        ({"poissonLoad": {"expectedActionsPerSecond": 1}, "trace": {"times": ["0s"]}}, "poissonLoad and trace"),
        ({"poissonLoad": {"expectedActionsPerSecond": 0}}, "greater than 0"),
        ({"steppedLoad": {"burstSize": 1, "stepDelay": "1"}}, "not a duration"),
        ({"steppedLoad": {"burstSize": 1}}, "stepDelay"),
        ({"qpsLoad": {"qps": 1}}, "qpsLoad"),
    ],
)
def test_what_is_no_load_shape(shape: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LoadShape.model_validate(shape)


def test_a_shape_says_what_it_is() -> None:
    assert str(LoadShape.model_validate({"poissonLoad": {"expectedActionsPerSecond": 0.5}})) == (
        "poissonLoad expectedActionsPerSecond=0.5"
    )
    assert str(LoadShape.model_validate({"trace": {"times": ["0s", "1s"]}})) == "trace of 2 moments"
