"""Refuses, before anything is touched, what this fleet could not do: a load without moments, a ManifestWork beyond
etcd, a trial that the fleet's own client limits hold up beyond its timeout, a link or a WDS where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.prediction import predict
from fleet.errors import UsageError
from fleet.experiment.plan import TrialPlan, trial_objects, trial_policies
from fleet.model.client_limits import ClientLimits
from fleet.model.duration import shown
from fleet.model.fleet_file import FleetFile
from fleet.workload.names import RunNames
from fleet.workload.pacing import schedule
from fleet.workload.sizing import Sizes, check, sizes

_PROBE = RunNames("20260101T000000Z-00000000")
"""A run id of the usual length: names count in sizes."""


def check_loads(trials: Sequence[TrialPlan], limits: ClientLimits, object_timeout: float = float("inf")) -> None:
    """UsageError (SpecError for the load) with the numbers, for the first trial that cannot be.

    `object_timeout` in seconds: of `timeouts.object`.
    """
    for trial in trials:
        moments = schedule(trial.load, trial.policies * trial.copies_each, seed="")
        _check_time(trial, limits.model_copy(update=dict(trial.limits)), moments.offsets[-1], object_timeout)
    for trial, found in predicted_sizes(trials, limits):
        check(found, limits.model_copy(update=dict(trial.limits)))


def _check_time(trial: TrialPlan, limits: ClientLimits, last: float, object_timeout: float) -> None:
    """`last`: seconds after the load's begin at which its last object is sent."""
    each = trial.copies_each * trial.content.size
    # Each WDS has programs of its own, with buckets of their own.
    mine = trial.policies_of_one
    its, wds, bindings, _ = predict(trial.layout, trial.wecs, each, limits, returns=False, policies=mine)
    floor = max(its, wds, bindings)
    if floor <= last + object_timeout:
        return
    which = {its: "transport_its_qps", wds: "transport_wds_qps", bindings: "controller_wds_qps"}[
        max(its, wds, bindings)
    ]
    raise UsageError(
        f"timeouts.object: {trial}: {trial.objects} objects, {trial.copies} copies in WECs; the fleet's client limits "
        f"alone ask for {floor:.0f} s (most: {which}), and {shown(object_timeout)} are allowed. Raise the fleet's "
        "limits or max_num_wrapped with `fleet up -e`, or timeouts.object, or ask for less"
    )


def check_links(trials: Sequence[TrialPlan], fleet: FleetFile) -> None:
    """UsageError when a trial changes the links, and a machine with WECs of it has none.

    One is not put there for the run: agents that find the hub at another address register anew.
    """
    used = {name for trial in trials if trial.link is not None for name in trial.clusters}
    carrying = {cluster.machine for cluster in fleet.wecs() if cluster.name in used}
    bare = sorted(machine.name for machine in fleet.machines if machine.name in carrying and machine.wan is None)
    if bare:
        raise UsageError(
            f"this experiment changes the links between WECs and hub, and {', '.join(bare)} has none: "
            "build the fleet with one, `fleet up -e 'wan={rtt: 0ms}'`"
        )


def check_wdses(trials: Sequence[TrialPlan], fleet: FleetFile) -> None:
    """UsageError when a trial is to be served from more WDSes than the fleet has."""
    most, there = max((trial.serving or 1 for trial in trials), default=1), len(fleet.of_role("wds"))
    if most > there:
        raise UsageError(
            f"wdses: {most} are asked for, the fleet has {there}: grow it with `fleet up -e wds_count={most}`"
        )


def predicted_sizes(trials: Sequence[TrialPlan], limits: ClientLimits) -> Iterator[tuple[TrialPlan, Sizes]]:
    """One policy of each group of trials, sized."""
    seen: set[int] = set()
    for trial in trials:
        if trial.group not in seen:
            seen.add(trial.group)
            policy = trial_policies(trial, _PROBE)[0]
            own = limits.model_copy(update=dict(trial.limits))
            yield trial, sizes(trial_objects(trial, policy, _PROBE), own)
