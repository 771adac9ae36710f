"""What every step of a run needs: the fleet's clients, the spec, the recorder, the join, where progress is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fleet.analysis.join import Join
from fleet.experiment.plan import TrialPlan, trial_objects, trial_policies
from fleet.experiment.progress import RunProgress
from fleet.faults.beside import Faults
from fleet.managers.manager import Manager, Policy, Spaces
from fleet.model.experiment_file import PolicyExperiment
from fleet.model.run_names import RunNames
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.workload.objects import WorkloadObject
from fleet.workload.pacing import Due, due, schedule


@dataclass
class Session:
    """One run under way."""

    spec: PolicyExperiment
    manager: Manager
    names: RunNames
    spaces: Spaces
    recorder: Recorder
    join: Join
    progress: RunProgress
    sampling: Sampling
    faults: Faults
    _made: tuple[str, tuple[WorkloadObject, ...]] | None = None

    def policies(self, trial: TrialPlan) -> tuple[Policy, ...]:
        """Policies of the trial's group."""
        return trial_policies(trial, self.names)

    def objects(self, trial: TrialPlan) -> tuple[WorkloadObject, ...]:
        """Objects of the trial, policy by policy; kept until another trial's are asked for: a profile is dear."""
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

    def alive(self, clusters: Sequence[str]) -> tuple[str, ...]:
        """Those of the WECs that answer now."""
        return tuple(name for name in clusters if name not in self.recorder.down)

    async def keep_sampling(self) -> None:
        """Sample at the spec's interval until cancelled; a slow sample delays the next, never doubles it."""
        due = time.monotonic()
        while True:
            await self.sampling.sample()
            due = max(due + self.spec.sample_interval, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    @asynccontextmanager
    async def step(self, name: str, trial: str = "") -> AsyncIterator[None]:
        """Marks the step's two edges in the log, whatever ends it."""
        self.progress.step(name)
        self.recorder.mark(name, "begin", trial=trial)
        note = ""
        try:
            yield
        except BaseException as error:
            note = type(error).__name__
            raise
        finally:
            self.recorder.mark(name, "end", trial=trial, note=note)
