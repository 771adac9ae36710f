"""A schedule that a seed draws: the same each time, between its moments, and never two on one target."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from fleet.errors import SpecError
from fleet.experiments.wec_scaling import WecScaling
from fleet.faults.schedule import scheduled
from fleet.model.duration import written
from fleet.model.during import DrawnSteps, DuringStep
from fleet.model.model_errors import validate

ACTIONS = [
    {"action": "kill", "target": "etcd.its1"},
    {"action": "stop", "target": "wecs", "share": "1/3", "for": "10s"},
]


def draw(**fields: Any) -> DrawnSteps:
    return DrawnSteps.model_validate({"draw": {"count": 3, "between": ["5s", "60s"], "from": ACTIONS, **fields}})


def test_the_same_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    one, again = (scheduled([draw()], ["t001", "t002"], seed=7) for _ in range(2))
    assert one == again
    assert len(one) == 6
    assert {step.trial for step in one} == {"t001", "t002"}
    assert scheduled([draw()], ["t001", "t002"], seed=8) != one


def test_a_seed_of_its_own_counts_more_than_the_experiments() -> None:
    assert scheduled([draw(seed=3)], ["t001"], seed=7) == scheduled([draw(seed=3)], ["t001"], seed=8)


def test_more_repeats_begin_with_the_same_schedule() -> None:
    short = scheduled([draw()], ["t001"], seed=7)
    assert scheduled([draw()], ["t001", "t002"], seed=7)[: len(short)] == short


def test_moments_lie_between_and_two_never_hold_one_target() -> None:
    for seed in range(50):
        steps = scheduled([draw(count=5)], ["t001"], seed=seed)
        assert all(5 <= step.at <= 60 for step in steps)
        assert steps == sorted(steps, key=lambda step: step.at)
        stops = [step for step in steps if step.action == "stop"]
        assert all(later.at >= former.at + 10 for former, later in pairwise(stops))


def test_what_does_not_fit_is_refused() -> None:
    crowded = draw(count=9, between=["0s", "20s"], **{"from": ACTIONS[1:]})
    with pytest.raises(SpecError, match=r"during\.0\.draw: 9 actions do not fit between 0 s and 20 s"):
        scheduled([crowded], ["t001"], seed=1)


def test_steps_by_hand_stay_as_they_are() -> None:
    step = DuringStep.model_validate({"at": "1s", "action": "stop", "target": "its1"})
    assert scheduled([step], ["t001"], seed=1) == [step]


def test_the_file_is_written_as_it_was_read() -> None:
    entries = [
        {"at": "10s", "action": "stop", "target": "wecs", "share": "1/3", "for": "30s"},
        {"at": "1s", "action": "restart-loop", "target": "transport.wds1", "with": {"every": "2s"}},
        {"draw": {"count": 2, "between": ["5s", "30s"], "from": ACTIONS}},
    ]
    spec = WecScaling.model_validate({"experiment": "wec-scaling", "during": entries})
    assert WecScaling.model_validate_json(spec.model_dump_json()) == spec
    assert WecScaling.model_validate(spec.model_dump()) == spec
    again = WecScaling.model_validate({"experiment": "wec-scaling", "during": written(spec)["during"]})
    assert again == spec


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"draw": {"count": 0, "between": ["5s", "30s"], "from": ACTIONS}}, r"during\.0\.draw\.count: "),
        ({"draw": {"count": 1, "between": ["50s", "30s"], "from": ACTIONS}}, "the first moment is after the last"),
        ({"draw": {"count": 1, "between": ["5s", "30s"], "from": []}}, r"during\.0\.draw\.from: "),
        (
            {"at": "1s", "action": "stop", "target": "its1", "share": "1/3"},
            "of the targets `wecs` and `agents`",
        ),
        ({"at": "1s", "action": "stop", "target": "wecs", "share": "4/3"}, r"'4/3' is no share"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        validate(WecScaling, {"experiment": "wec-scaling", "during": [entry]}, lambda _path: (None, None))
