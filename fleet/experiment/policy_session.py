"""A session of a run that distributes a workload: the policies, objects and moments of its trials."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from fleet.experiment.plan import TrialPlan, trial_objects, trial_policies
from fleet.experiment.reconfigure import Refitted
from fleet.experiment.session import Session
from fleet.managers.manager import Policy
from fleet.model.experiment_file import PolicyExperiment
from fleet.workload.objects import WorkloadObject
from fleet.workload.pacing import Due, due, schedule


@dataclass
class PolicySession(Session):
    """One such run under way."""

    spec: PolicyExperiment
    refitted: Refitted | None = None
    """By which a step changes the fleet; None before the first trial."""
    _made: tuple[str, tuple[WorkloadObject, ...]] | None = None

    @classmethod
    def of(cls, session: Session) -> Self:
        """The same run; its body does not change the session's own fields."""
        return cls(**{entry.name: getattr(session, entry.name) for entry in fields(Session)})

    def policies(self, trial: TrialPlan) -> tuple[Policy, ...]:
        """Policies of the trial's group."""
        return trial_policies(trial, self.names)

    def objects(self, trial: TrialPlan) -> tuple[WorkloadObject, ...]:
        """Objects of the trial, policy by policy; kept until another trial's are requested: a profile is dear."""
        if self._made is None or self._made[0] != trial.id:
            made = tuple(
                item
                for policy in self.policies(trial)
                for item in trial_objects(trial, policy, self.names, self.manager)
            )
            self._made = (trial.id, made)
        return self._made[1]

    def writes(self, trial: TrialPlan) -> tuple[tuple[Due, ...], int | None]:
        """When each object is due, and how many may be unanswered (None: as the schedule says).

        The policies take turns: the first copy of each, then the second of each.
        """
        items, size = self.objects(trial), trial.content.size
        copies = [items[at : at + size] for at in range(0, len(items), size)]
        turns = [copies[at :: trial.copies_each] for at in range(trial.copies_each)]
        moments = schedule(trial.load, len(copies), seed=f"{self.spec.seed}/{trial.id}")
        return due([copy for turn in turns for copy in turn], moments), moments.parallel
