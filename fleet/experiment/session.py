"""What every step of a run needs: the fleet's clients, the spec, the recorder, the join, who is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fleet.analysis.timelines import Join
from fleet.experiment.plan import TrialPlan
from fleet.experiment.progress import RunProgress
from fleet.kube.resources import Resource
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.observe.watcher import Spaces
from fleet.spec.experiment_file import ExperimentFile
from fleet.workload.layouts import BindingPolicy, policies
from fleet.workload.names import RunNames
from fleet.workload.objects import RESOURCES, WorkloadObject, objects


@dataclass(frozen=True)
class Session:
    """One run under way."""

    spec: ExperimentFile
    names: RunNames
    spaces: Spaces
    recorder: Recorder
    join: Join
    progress: RunProgress
    sampling: Sampling

    @property
    def resource(self) -> Resource:
        """The workload kind as a resource."""
        return RESOURCES[self.spec.workload.kind]

    def policies(self, trial: TrialPlan) -> tuple[BindingPolicy, ...]:
        """Policies of the trial's group."""
        return policies(trial.layout, trial.clusters, kind=trial.kind, names=self.names, group=trial.group)

    def objects(self, trial: TrialPlan) -> tuple[WorkloadObject, ...]:
        """Objects of the trial, policy by policy."""
        return tuple(
            item
            for policy in self.policies(trial)
            for item in objects(policy, self.spec.workload, names=self.names, trial=trial.id)
        )

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
