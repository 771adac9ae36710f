"""Refuses, before anything is touched, what no fleet could do: a load without moments, a ManifestWork beyond etcd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.experiment.plan import TrialPlan, trial_objects, trial_policies
from fleet.spec.fleet_file import ClientLimits
from fleet.workload.names import RunNames
from fleet.workload.pacing import schedule
from fleet.workload.sizing import Sizes, check, sizes

_PROBE = RunNames("20260101T000000Z-00000000")
"""A run id of the usual length: names count in sizes."""


def check_loads(trials: Sequence[TrialPlan], limits: ClientLimits) -> None:
    """UsageError (SpecError for the load) with the numbers, for the first trial that cannot be."""
    for trial in trials:
        schedule(trial.load, trial.policies * trial.copies_each, seed="")
    for trial, found in predicted_sizes(trials, limits):
        check(found, limits.model_copy(update=dict(trial.limits)))


def predicted_sizes(trials: Sequence[TrialPlan], limits: ClientLimits) -> Iterator[tuple[TrialPlan, Sizes]]:
    """One policy of each group of trials, sized."""
    seen: set[int] = set()
    for trial in trials:
        if trial.group not in seen:
            seen.add(trial.group)
            policy = trial_policies(trial, _PROBE)[0]
            own = limits.model_copy(update=dict(trial.limits))
            yield trial, sizes(trial_objects(trial, policy, _PROBE), own)
