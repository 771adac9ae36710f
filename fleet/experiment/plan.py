"""What a run will do, trial by trial: made before anything is touched, shown by a dry run, followed by the runner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.experiment.reconfigure import Release
from fleet.managers.manager import Manager, Policy
from fleet.model.experiment_file import Layout
from fleet.model.link import Link
from fleet.model.load_shape import LoadShape
from fleet.model.run_names import RunNames
from fleet.workload.content import Content
from fleet.workload.layouts import policies
from fleet.workload.objects import WorkloadObject, objects


@dataclass(frozen=True)
class TrialPlan:
    """One trial: the objects of every policy of its group, once."""

    id: str
    """`t000` and so on, in the order in which they run."""
    group: int
    """Trials of one group share their policies: same layout, same WECs."""
    layout: Layout
    clusters: tuple[str, ...]
    repeat: int
    """Counts from 0; -1 for a warm-up."""
    content: Content
    """Of every policy."""
    copies_each: int
    """Of the content, per policy."""
    load: LoadShape
    each: int = 1
    """Policies per target: per WEC in one-to-one, of all WECs in one-to-many."""
    own_namespaces: bool = False
    """Each policy has a namespace of its own."""
    point: str = ""
    """What other groups have another value of, as `policies=5`; empty where only layout and WECs vary."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Client limits that the fleet gets for this group, where they are not its own."""
    link: Link | None = None
    """What all links of the fleet get for this group; None: their own."""
    sources: tuple[str, ...] = ()
    """What its policies are spread over; empty: each WEC is the source of its own."""
    serving: int | None = None
    """The manager runs for the first so many sources of the fleet for this group; None: for those it ran for before."""

    release: Release | None = None
    """What the manager runs as when a trial of this group begins; None: the fleet's own, and it stays that."""

    @property
    def changes(self) -> bool:
        """The fleet is changed for it."""
        return bool(self.limits or self.link or self.serving or self.release)

    @property
    def kind(self) -> str:
        """Of the workload: deployment, cluster-density."""
        return self.content.name

    @property
    def policies(self) -> int:
        """In all of its sources together."""
        return self.each * (self.wecs if self.layout == "one-to-one" else 1)

    @property
    def policies_of_one(self) -> int:
        """In the source that has most."""
        return math.ceil(self.policies / (len(self.sources) or self.wecs))

    @property
    def objects(self) -> int:
        """In the sources, over all policies."""
        return self.policies * self.copies_each * self.content.size

    @property
    def wecs(self) -> int:
        """How many WECs it spans."""
        return len(self.clusters)

    @property
    def copies(self) -> int:
        """Objects in all WECs together."""
        return self.objects if self.layout == "one-to-one" else self.objects * self.wecs

    def __str__(self) -> str:
        """For people: `one-to-many, 20 WECs, repeat 1`."""
        what = "warm-up" if self.repeat < 0 else f"repeat {self.repeat + 1}"
        where = f"{self.layout}, {self.wecs} WEC{'s' if self.wecs != 1 else ''}"
        return ", ".join(part for part in (where, self.point, what) if part)


@dataclass(frozen=True)
class Group:
    """Trials that share their policies: they are applied and settled once."""

    number: int
    trials: tuple[TrialPlan, ...]


def groups(trials: list[TrialPlan]) -> list[Group]:
    """The trials by group, in the order in which they run."""
    numbers = list(dict.fromkeys(trial.group for trial in trials))
    return [Group(number, tuple(trial for trial in trials if trial.group == number)) for number in numbers]


def trial_policies(trial: TrialPlan, names: RunNames) -> tuple[Policy, ...]:
    """The policies of the trial's group."""
    return policies(
        trial.layout,
        trial.clusters,
        resources=trial.content.resources,
        names=names,
        group=trial.group,
        each=trial.each,
        own_namespaces=trial.own_namespaces,
        sources=trial.sources,
    )


def trial_objects(trial: TrialPlan, policy: Policy, names: RunNames, manager: Manager) -> tuple[WorkloadObject, ...]:
    """The objects of one of its policies."""
    return objects(policy, trial.content, trial.copies_each, manager=manager, names=names, trial=trial.id)
