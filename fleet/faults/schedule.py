"""The steps of `during`: those written by hand, and those that a seed draws, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fleet.errors import SpecError
from fleet.faults.registry import lasting
from fleet.model.during import Draw, DuringEntry, DuringStep

TRIES = 200
"""To find a moment at which no other action holds the same target."""
GRAIN = 0.1
"""Seconds: moments are drawn to a tenth, so that people can read them."""


def scheduled(entries: Sequence[DuringEntry], counted: Sequence[str], *, seed: int) -> list[DuringStep]:
    """All steps, those of draws with their trial and moment. SpecError when a draw does not fit between its moments.

    `counted` are the trials that count, in their order; each draws by itself, so that a run with more repeats begins
    with the same schedule.
    """
    steps: list[DuringStep] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, DuringStep):
            steps.append(entry)
            continue
        for trial in counted:
            steps += _drawn(entry.draw, number, trial, seed)
    return steps


def _drawn(draw: Draw, number: int, trial: str, seed: int) -> list[DuringStep]:
    own = seed if draw.seed is None else draw.seed
    dice = random.Random(f"{own}/{number}/{trial}")  # noqa: S311 - a schedule, no secret
    steps: list[DuringStep] = []
    for _ in range(draw.count):
        for _try in range(TRIES):
            action = dice.choice(draw.actions)
            at = round(dice.uniform(*draw.between) / GRAIN) * GRAIN
            step = DuringStep.model_validate({**action.model_dump(), "at": round(at, 1), "trial": trial})
            if not any(_meet(step, former) for former in steps):
                steps.append(step)
                break
        else:
            raise SpecError(
                f"{draw.count} actions do not fit between {draw.between[0]:g} s and {draw.between[1]:g} s without two"
                " on one target at once: draw fewer, give them a shorter `for`, or more time",
                field=f"during.{number}.draw",
            )
    return sorted(steps, key=lambda step: step.at)


def _meet(one: DuringStep, other: DuringStep) -> bool:
    """Whether two would hold one target at once; a share of the WECs may be any of them."""
    first, second = sorted((one, other), key=lambda step: step.at)
    last = lasting(first)
    return one.target == other.target and (last is None or second.at < first.at + last)
