"""What the client-side rate limits alone predict, to hold against what was measured.

Facts restated from KubeStellar 0.30.0 and OCM 1.2.0 (read in their source, seen live):

- The controller-manager holds each Binding sync back by 2 s.
- The transport controller needs two calls on the ITS per ManifestWork that is new (GET, then CREATE), one after the
  other, all through one token bucket; `ceil(W / max_num_wrapped)` ManifestWorks per WEC and policy.
- It reads each workload object from the WDS once per sync, through another bucket.
- The controller-manager writes a Binding once per policy, and for each returned status a label and the status (two
  calls), all through its WDS bucket.
- The status agent of a WEC needs four calls on the hub for an object's first report (the stand-in two).

A token bucket that is full lets `burst` calls pass at once and then `qps` per second: n calls take at least
max(0, (n - burst) / qps). Buckets work side by side, so the slowest decides. These are floors: every event on a
ManifestWork makes the transport controller list and read again, which takes tokens that are not counted here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.samples import Sample, Setting
from fleet.model.base import Model
from fleet.model.client_limits import ClientLimits
from fleet.results.events import TrialPlan

HOLD_BACK_SECONDS = 2.0
CALLS_PER_WORK = 2
CALLS_PER_RETURNED_STATUS = 2


class Prediction(Model):
    """One setting. Seconds from the first object's creation to the last WEC's, or to T8."""

    layout: str
    wecs: int
    point: str = ""
    policies: int
    """Over all WDSes."""
    objects: int
    """Per policy."""
    its_floor: float
    """Transport controller on the ITS."""
    wds_floor: float
    """Transport controller on the WDS."""
    controller_floor: float
    """Controller-manager on the WDS, Bindings only."""
    downsync_floor: float
    """Hold-back and the slowest of the three."""
    downsync_measured: float | None
    """Median over the repeats of: last object in its last WEC, since the first was created."""
    e2e_floor: float | None
    """The same with the writes of the returned statuses; None for kinds without."""
    e2e_measured: float | None

    @property
    def setting(self) -> Setting:
        """What it is of."""
        return Setting(self.layout, self.wecs, self.point)

    @property
    def binding_limit(self) -> str:
        """The limit that asks for the most time; empty when none asks for any."""
        floors = {
            "the transport controller on the ITS": self.its_floor,
            "the transport controller on the WDS": self.wds_floor,
            "the controller-manager on the WDS": self.controller_floor,
        }
        most = max(floors, key=lambda name: floors[name])
        return most if floors[most] > 0 else ""

    @property
    def ratio(self) -> float | None:
        """Measured over predicted."""
        if self.downsync_measured is None or self.downsync_floor <= 0:
            return None
        return self.downsync_measured / self.downsync_floor


def bucket(calls: float, qps: float, burst: float) -> float:
    """Seconds that a full token bucket needs at least for so many calls; 0 without a limit."""
    return 0.0 if qps <= 0 else max(0.0, (calls - burst) / qps)


def predict(
    layout: str, wecs: int, objects: int, limits: ClientLimits, *, returns: bool, policies: int = 0
) -> tuple[float, ...]:
    """Floors (ITS, transport on WDS, controller for Bindings, controller with statuses), seconds, hold-back left out.

    `objects` counts per policy. `policies` 0: one-to-one has a policy per WEC, one-to-many has one.
    """
    policies = policies or (wecs if layout == "one-to-one" else 1)
    works = policies * (1 if layout == "one-to-one" else wecs) * math.ceil(objects / limits.max_num_wrapped)
    its = bucket(CALLS_PER_WORK * works, limits.transport_its_qps, limits.transport_its_burst)
    wds = bucket(policies * objects, limits.transport_wds_qps, limits.transport_wds_burst)
    qps, burst = limits.controller_wds_qps, limits.controller_wds_burst
    bindings = bucket(policies, qps, burst)
    statuses = bucket(policies + CALLS_PER_RETURNED_STATUS * policies * objects, qps, burst) if returns else bindings
    return its, wds, bindings, statuses


def predictions(recorded: Recorded, samples: Sequence[Sample], limits: ClientLimits) -> list[Prediction]:
    """A row per setting that was run and counted, in a closed loop."""
    by_trial: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.repeat >= 0 and sample.stage in ("downsync", "e2e"):
            by_trial[sample.trial].append(sample)
    groups: defaultdict[tuple[Setting, int], list[TrialPlan]] = defaultdict(list)
    for plan in recorded.trials:
        if plan.repeat >= 0 and not plan.load:  # a load with a schedule takes as long as the schedule says
            objects = max(1, recorded.planned.get(plan.trial, 0) // max(1, _policies(plan)))
            groups[setting_of(plan), objects].append(plan)
    keys = sorted(groups, key=lambda key: (key[0].order, key[1]))
    return [_prediction(*key, groups[key], by_trial, limits) for key in keys]


def _policies(plan: TrialPlan) -> int:
    return plan.policies or (plan.wecs if plan.layout == "one-to-one" else 1)


def _policies_of_one(plan: TrialPlan) -> int:
    """In the WDS that has most: each WDS has programs of its own, with buckets of their own."""
    return math.ceil(_policies(plan) / max(1, len(plan.sources)))


def _prediction(
    setting: Setting,
    objects: int,
    plans: Sequence[TrialPlan],
    by_trial: Mapping[str, Sequence[Sample]],
    limits: ClientLimits,
) -> Prediction:
    trials = [by_trial.get(plan.trial, ()) for plan in plans]
    own = limits.model_copy(update=dict(plans[0].limits))
    returns = any(sample.stage == "e2e" for trial in trials for sample in trial)
    its, wds, bindings, statuses = predict(
        setting.layout, setting.wecs, objects, own, returns=returns, policies=_policies_of_one(plans[0])
    )
    return Prediction(
        **setting._asdict(),
        policies=_policies(plans[0]),
        objects=objects,
        its_floor=its,
        wds_floor=wds,
        controller_floor=bindings,
        downsync_floor=HOLD_BACK_SECONDS + max(its, wds, bindings),
        downsync_measured=_measured(trials, "downsync"),
        e2e_floor=HOLD_BACK_SECONDS + max(its, wds, statuses) if returns else None,
        e2e_measured=_measured(trials, "e2e"),
    )


def _measured(trials: Sequence[Sequence[Sample]], stage: str) -> float | None:
    """Median over the trials that are whole of last end minus first start."""
    spans = []
    for trial in trials:
        mine = [sample for sample in trial if sample.stage == stage]
        starts = [sample.start_ns for sample in mine if sample.start_ns is not None]
        ends = [sample.end_ns for sample in mine if sample.end_ns is not None]
        if mine and len(ends) == len(mine):
            spans.append((max(ends) - min(starts)) / 1e9)
    return median(spans) if spans else None
