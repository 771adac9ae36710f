"""Refuses, before anything is touched, what this fleet could not do: a load without moments, and what its manager or
the client limits could never carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.errors import UsageError
from fleet.experiment.plan import TrialPlan, groups, trial_objects, trial_policies
from fleet.managers.manager import Burden, Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import RunNames
from fleet.workload.pacing import schedule

_PROBE = RunNames("20260101T000000Z-00000000")
"""A run id of the usual length: names count in sizes."""


def check_loads(
    trials: Sequence[TrialPlan], manager: Manager, limits: Mapping[str, float], object_timeout: float = float("inf")
) -> None:
    """UsageError (SpecError for the load) with the numbers, for the first group of trials that cannot be.

    `limits` are the fleet's; `object_timeout` in seconds: of `timeouts.object`.
    """
    for group in groups(list(trials)):
        manager.check_load(burden(group.trials[0], manager, limits, object_timeout))


def check_changes(trials: Sequence[TrialPlan], fleet: FleetFile) -> None:
    """UsageError when a trial changes limits, links, sources or release of a hub that is not the fleet's to change."""
    changed = [str(trial) for trial in trials if trial.changes]
    if changed and any(not cluster.built for cluster in fleet.clusters):
        raise UsageError(
            f"{changed[0]} changes the fleet between its points, and this fleet's clusters exist without it: run "
            "wec-scaling, policy-scaling, workload-size or long-run, or build a fleet"
        )


def burden(trial: TrialPlan, manager: Manager, limits: Mapping[str, float], seconds: float) -> Burden:
    """What the trial asks of a manager; SpecError for a load that has too few moments."""
    moments = schedule(trial.load, trial.policies * trial.copies_each, seed="")
    policy = trial_policies(trial, _PROBE)[0]
    return Burden(
        shown=str(trial),
        layout=trial.layout,
        wecs=trial.wecs,
        policies=trial.policies_of_one,
        each=trial.copies_each * trial.content.size,
        objects=trial.objects,
        copies=trial.copies,
        limits={**limits, **trial.limits},
        last=moments.offsets[-1],
        seconds=seconds,
        policy=policy,
        writes=[item.write for item in trial_objects(trial, policy, _PROBE, manager)],
    )
