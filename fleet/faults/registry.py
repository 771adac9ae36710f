"""Every fault by the word of `action`, and the check of an experiment's `during` before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.errors import SpecError, UsageError
from fleet.faults.api_errors import ApiErrors
from fleet.faults.bandwidth import Bandwidth
from fleet.faults.certificate import ExpireCertificate
from fleet.faults.crd import Crd
from fleet.faults.disconnect import Disconnect
from fleet.faults.disk_full import DiskFull
from fleet.faults.disk_slow import DiskSlow
from fleet.faults.fault import Aim, Fault
from fleet.faults.kill import Kill
from fleet.faults.node_failure import NodeFailure
from fleet.faults.partition import Partition
from fleet.faults.pause import Pause
from fleet.faults.restart_fleet import RestartFleet
from fleet.faults.restart_loop import RestartLoop
from fleet.faults.restore import Restore
from fleet.faults.stop import Stop
from fleet.faults.targets import chooser, meant, together
from fleet.faults.webhook import Webhook
from fleet.model.duration import written
from fleet.model.during import Action, DuringStep
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.model.model_errors import nearest, shown, validate

ALL: tuple[Fault, ...] = (
    Stop(), Kill(), Pause(), RestartLoop(), RestartFleet(), Restore(), DiskFull(), DiskSlow(), Disconnect(),
    Partition(), Bandwidth(), ApiErrors(), Webhook(), Crd(), ExpireCertificate(), NodeFailure(),
)  # fmt: skip
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in ALL}


@dataclass(frozen=True)
class Planned:
    """A step with where it aims, one aim per machine."""

    step: DuringStep
    aims: tuple[Aim, ...]

    @property
    def prepares(self) -> bool:
        """Whether something must be done before the load."""
        return FAULTS[self.step.action].prepares

    @property
    def document(self) -> dict[str, Any]:
        """For plans: when, how long (None: as long as the trial), and what it is done to."""
        held = sorted({name for aim in self.aims for name in aim.held})
        step = self.step
        return {"trial": step.trial, "at": step.at, "for": self.lasting, "action": step.action, "held": held}

    @property
    def lasting(self) -> float | None:
        """Seconds until it is healed; None: until the trial's last mark was seen, or its time was up."""
        return lasting(self.step)


def lasting(action: Action) -> float | None:
    """Seconds until it is healed, a moment's fault at once; None: until the trial's last mark was seen."""
    if action.lasting is None and action.action in FAULTS and FAULTS[action.action].momentary:
        return 0.0
    return action.lasting


def planned(
    steps: Sequence[DuringStep], fleet: FleetFile, trials: Sequence[str], manager: ManagerRecord, *, seed: int = 1
) -> list[Planned]:
    """Of each step, where it aims under that manager. The seed chooses where a share is wanted.

    SpecError, naming the field, for an action, target, setting or trial that there is not, and for two that would hold
    the same target at once.
    """
    found: list[Planned] = []
    for number, step in enumerate(steps):
        if step.trial is not None and step.trial not in trials:
            raise SpecError(
                f"{step.trial} is no trial of this run, which has {trials[0]} to {trials[-1]}; "
                "`fleet experiment plan` shows them",
                field=f"during.{number}.trial",
            )
        found.append(Planned(step, _aims(step, number, fleet, manager, seed)))
        for other, former in enumerate(found[:number]):
            both = _held(former) & _held(found[number])
            if both and _meet(former.step, step):
                raise SpecError(
                    f"{min(both)[1]} would still be held by during.{other}: give that a `for`, or begin later",
                    field=f"during.{number}.at",
                )
    return found


def _aims(step: DuringStep, number: int, fleet: FleetFile, manager: ManagerRecord, seed: int) -> tuple[Aim, ...]:
    where = f"during.{number}"
    if step.action not in FAULTS:
        raise SpecError(f"{shown(step.action)} is no action{nearest(step.action, FAULTS)}", field=f"{where}.action")
    fault = FAULTS[step.action]
    try:
        settings = validate(fault.settings, step.settings, lambda _path: (None, None))
    except SpecError as error:
        raise SpecError(f"{step.action}: {error}", field=f"{where}.with") from error
    given = step.model_copy(update={"settings": {k: v for k, v in written(settings).items() if k in step.settings}})
    chosen = chooser(f"{seed}/{number}/{step.trial or ''}")
    try:
        each = [given.model_copy(update={"target": name}) for name in meant(given, fleet, manager, chosen)]
        aims = together([aim for one in each for aim in fault.aims(one, fleet, chosen)])
    except UsageError as error:
        raise SpecError(str(error), field=f"{where}.target") from error
    shown_as = {"key": f"{number:03d}-{step.action}", "target": step.target}
    return tuple(aim.model_copy(update=shown_as) for aim in aims)


def _held(one: Planned) -> frozenset[tuple[str, str]]:
    return frozenset((aim.machine, name) for aim in one.aims for name in aim.held)


def _meet(one: DuringStep, other: DuringStep) -> bool:
    if one.trial and other.trial and one.trial != other.trial:
        return False
    first, second = sorted((one, other), key=lambda step: step.at)
    last = lasting(first)
    return last is None or second.at < first.at + last
