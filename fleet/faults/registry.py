"""Every fault by the word of `action`, and the check of an experiment's `during` before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.errors import SpecError, UsageError
from fleet.faults.fault import Aim, Fault
from fleet.faults.stop import Stop
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import nearest, shown

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in (Stop(),)}


def aims(steps: Sequence[DuringStep], fleet: FleetFile, trials: Sequence[str]) -> list[Aim]:
    """Of each step, where it aims. SpecError, naming the field, for an action, target or trial that there is not, and
    for two that would hold the same target at once."""
    found = []
    for number, step in enumerate(steps):
        where = f"during.{number}"
        if step.action not in FAULTS:
            raise SpecError(f"{shown(step.action)} is no action{nearest(step.action, FAULTS)}", field=f"{where}.action")
        if step.trial is not None and step.trial not in trials:
            raise SpecError(
                f"{step.trial} is no trial of this run, which has {trials[0]} to {trials[-1]}; "
                "`fleet experiment plan` shows them",
                field=f"{where}.trial",
            )
        try:
            found.append(FAULTS[step.action].aim(step.target, fleet))
        except UsageError as error:
            raise SpecError(str(error), field=f"{where}.target") from error
        for other, former in enumerate(steps[:number]):
            if former.target == step.target and _meet(former, step):
                raise SpecError(
                    f"{step.target} would still be held by during.{other}: give that a `for`, or begin later",
                    field=f"{where}.at",
                )
    return found


def _meet(one: DuringStep, other: DuringStep) -> bool:
    if one.trial and other.trial and one.trial != other.trial:
        return False
    first, second = sorted((one, other), key=lambda step: step.at)
    return first.lasting is None or second.at < first.at + first.lasting
