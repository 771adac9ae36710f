"""One trial: Jobs one after another, or all at once, until each has finished at the hub."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import DeadlineError
from fleet.experiment.own import PlannedTrial
from fleet.experiment.session import Session
from fleet.experiments.job_dispatch import marks
from fleet.experiments.job_dispatch.queues import Queues
from fleet.experiments.job_dispatch.spec import Division, JobDispatch, Load
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import JOBS
from fleet.managers.multikueue import objects
from fleet.observe.marks import CREATED, DELETED, MarkWatch

PRIMER = "primer"
AT_ONCE = 64
"""Requests under way: an API server's own limit is 200 mutating ones."""


@dataclass(frozen=True)
class DispatchTrial(PlannedTrial):
    """One load over some workers in one division."""

    load: Load = "burst"
    division: Division = "closed"


@dataclass(frozen=True)
class Bench:
    """What the trials of a run share: the hub, and every watch of Jobs and Workloads."""

    session: Session
    hub: KubeClient
    jobs: MarkWatch
    """At the hub."""
    others: tuple[MarkWatch, ...]
    """Workloads at the hub, Jobs in the WECs."""

    @property
    def spec(self) -> JobDispatch:
        """Of the run."""
        spec: JobDispatch = self.session.spec
        return spec

    async def primer(self, queues: Queues, name: str) -> None:
        """One Job through each queue before anything is measured: it works, and caches are full. DeadlineError."""
        self._begin(f"{name}-{PRIMER}")
        await each(range(len(queues.names)), lambda number: self._create(f"{name}-{PRIMER}", number, queues))
        wanted = len(queues.names)
        if not await self.jobs.reached(marks.FINISHED, wanted, timeout=self.spec.timeouts.settle):
            raise DeadlineError(
                f"{self.hub.cluster}: {self.jobs.count(marks.FINISHED)} of {wanted} first Jobs finished within"
                f" {self.spec.timeouts.settle:g} s. Do the programs of hub and workers run? See `fleet status`"
            )
        await self._delete(f"{name}-{PRIMER}")

    async def run(self, trial: DispatchTrial, queues: Queues) -> None:
        """From the first Job to the deletion of the last."""
        session, spec = self.session, self.spec
        self._begin(trial.id)
        async with session.trial(trial):
            await session.sampling.sample()
            async with session.disturbed(trial):
                async with session.step("load", trial.id, measured=True):
                    if trial.load == "burst":
                        await each(range(spec.jobs), lambda n: self._create(trial.id, n, queues), at_once=AT_ONCE)
                    else:
                        await self._one_by_one(trial, queues)
                async with session.step("drain", trial.id, measured=True):
                    await self._finished(trial, spec.jobs)
            await session.sampling.sample()
            async with session.step("delete", trial.id):
                await self._delete(trial.id)

    async def _one_by_one(self, trial: DispatchTrial, queues: Queues) -> None:
        for number in range(self.spec.jobs):
            if not await self._create(trial.id, number, queues) or not await self._finished(trial, number + 1):
                return

    async def _finished(self, trial: DispatchTrial, count: int) -> bool:
        """Wait for them; an anomaly when the time is up."""
        limit = self.spec.timeouts.object
        if await self.jobs.reached(marks.FINISHED, count, timeout=limit, progress=self.session.progress.marks):
            return True
        text = f"{self.jobs.count(marks.FINISHED)} of {count} Jobs finished within {limit:g} s"
        self.session.recorder.anomaly("not-finished", text, trial=trial.id, cluster=self.hub.cluster)
        return False

    async def _create(self, trial: str, number: int, queues: Queues) -> bool:
        session, name = self.session, f"{trial}-{number:04d}"
        body = objects.job(name, queues.of(number), session.names.labels(trial=trial))
        space = session.names.namespace
        return await session.request(
            trial, "create", self.hub.cluster, lambda: self.hub.create(JOBS, body, space), marks.JOB, name, space
        )

    async def _delete(self, trial: str) -> None:
        """At the hub; what it had dispatched goes with it. An anomaly when a Job stays."""
        session = self.session
        selector = session.names.selector(trial=trial)
        params = {"labelSelector": selector, "propagationPolicy": "Background"}
        path = JOBS.path(namespace=session.names.namespace)
        there = self.jobs.count(CREATED)
        await session.request(
            trial, "delete-collection", self.hub.cluster,
            lambda: self.hub.request("DELETE", path, params=params, retry=True), marks.JOB,
            namespace=session.names.namespace,
        )  # fmt: skip
        if not await self.jobs.reached(DELETED, there, timeout=self.spec.timeouts.clean):
            text = f"{there - self.jobs.count(DELETED)} Jobs are still at the hub"
            session.recorder.anomaly("not-clean", text, cluster=self.hub.cluster)

    def _begin(self, trial: str) -> None:
        for watch in (self.jobs, *self.others):
            watch.trial = trial
