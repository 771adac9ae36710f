"""What the client-side rate limits alone predict, to hold against what was measured. The floors are the manager's."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Setting
from fleet.analysis.theory import Burden, Floor, Floors, Theory
from fleet.model.base import Model
from fleet.results.events import TrialPlan


class Prediction(Model):
    """One setting. Seconds from the first object's creation to the last WEC's, or until its status is back."""

    layout: str
    wecs: int
    point: str = ""
    policies: int
    """Over all sources."""
    objects: int
    """Per policy."""
    floors: tuple[Floor, ...]
    """By each limit, without what is fixed."""
    fixed: float
    """Passes whatever the limits are."""
    downsync_floor: float
    """What is fixed, and the slowest of the floors."""
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
        """The limit that takes the most time; empty when none takes any."""
        most = max(self.floors, key=lambda floor: floor.seconds, default=None)
        return most.limit if most is not None and most.seconds > 0 else ""

    @property
    def ratio(self) -> float | None:
        """Measured over predicted."""
        if self.downsync_measured is None or self.downsync_floor <= 0:
            return None
        return self.downsync_measured / self.downsync_floor


def predictions(
    recorded: Recorded, samples: Samples, limits: Mapping[str, float], theory: Theory | None
) -> list[Prediction]:
    """A row per setting that was run and counted, in a closed loop; without a theory only what was measured."""
    whole = samples.of_stages("downsync", "e2e").about(lambda subject: subject.repeat >= 0)
    by_trial = whole.by_trial()
    groups: defaultdict[tuple[Setting, int], list[TrialPlan]] = defaultdict(list)
    for plan in recorded.trials:
        if (
            plan.layout and plan.repeat >= 0 and not plan.load
        ):  # a load with a schedule takes as long as the schedule says
            objects = max(1, recorded.planned.get(plan.trial, 0) // max(1, _policies(plan)))
            groups[setting_of(plan), objects].append(plan)
    keys = sorted(groups, key=lambda key: (key[0].order, key[1]))
    rows = []
    for setting, objects in keys:
        plans = groups[setting, objects]
        trials = [by_trial[plan.trial] for plan in plans if plan.trial in by_trial]
        returns = any(trial.of_stages("e2e") for trial in trials)
        burden = Burden(setting.layout, setting.wecs, _policies_of_one(plans[0]), objects, returns)
        found = theory.floors(burden, {**limits, **plans[0].limits}) if theory is not None else None
        rows.append(_prediction(setting, objects, _policies(plans[0]), trials, found or Floors((), 0.0, None)))
    return rows


def _policies(plan: TrialPlan) -> int:
    return plan.policies or (plan.wecs if plan.layout == "one-to-one" else 1)


def _policies_of_one(plan: TrialPlan) -> int:
    """In the source that has most: each source has programs of its own, with buckets of their own."""
    return math.ceil(_policies(plan) / max(1, len(plan.sources)))


def _prediction(setting: Setting, objects: int, policies: int, trials: Sequence[Samples], floors: Floors) -> Prediction:
    return Prediction(
        **setting._asdict(),
        policies=policies,
        objects=objects,
        floors=floors.each,
        fixed=floors.fixed,
        downsync_floor=floors.fixed + max((floor.seconds for floor in floors.each), default=0.0),
        downsync_measured=_measured(trials, "downsync"),
        e2e_floor=None if floors.status is None else floors.fixed + floors.status,
        e2e_measured=_measured(trials, "e2e"),
    )


def _measured(trials: Sequence[Samples], stage: str) -> float | None:
    """Median over the trials that are whole of last end minus first start."""
    spans = []
    for trial in trials:
        mine = trial.of_stages(stage)
        starts, ends = mine.starts(), mine.ends()
        if mine and len(ends) == len(mine):
            spans.append((max(ends) - min(starts)) / 1e9)
    return median(spans) if spans else None
