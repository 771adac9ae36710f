"""One trial: pods that wait, a scheduler that binds them, all of them ready, then gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fleet.errors import DeadlineError
from fleet.experiment.batches import delete_in_batches
from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import audit_log, count_agents, scraping, weigh_memory
from fleet.experiments.scheduler_throughput import marks, nodes, objects, program, series
from fleet.experiments.scheduler_throughput.marks import POD
from fleet.experiments.scheduler_throughput.program import Place, Running
from fleet.experiments.scheduler_throughput.spec import Scheduler, SchedulerThroughput
from fleet.host.process_stats import weigh_pid
from fleet.host.weight import MIB
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.model.pod_marks import SCHEDULED
from fleet.observe.marks import CREATED, MarkWatch
from fleet.observe.metrics import Scraper, Target
from fleet.observe.profiling import Profiling

if TYPE_CHECKING:
    from fleet.experiments.scheduler_throughput.experiment import SchedulerTrial

PRIMER_SECONDS = 120.0
BATCH = 500
"""Pods that one request deletes."""


@dataclass(frozen=True)
class Trial:
    """One under way; `run` may be called once."""

    session: Session
    trial: SchedulerTrial
    client: KubeClient
    watch: MarkWatch
    scraper: Scraper
    """Of the API server."""
    place: Place
    nodes: list[str]
    classes: list[str]

    @property
    def spec(self) -> SchedulerThroughput:
        """Of the run."""
        spec: SchedulerThroughput = self.session.spec
        return spec

    @property
    def scheduler(self) -> Scheduler:
        """That is measured."""
        return self.trial.scheduler

    async def run(self) -> None:
        """From the first creation until every pod is gone."""
        session, trial = self.session, self.trial.id
        self.watch.trial = trial
        async with session.trial(self.trial), AsyncExitStack() as stack:
            session.expect(trial, POD, self.spec.pods, cluster=self.client.cluster)
            own = nodes.placed(self.client, self.scheduler.objects, session.names, self.spec.timeouts.clean)
            await stack.enter_async_context(own)
            if self.trial.load == "taints":
                await stack.enter_async_context(nodes.tainted(self.client, self.nodes))
            try:
                if self.spec.start == "after":
                    async with session.step(marks.CREATE, trial):
                        await self._create()
                        await self._reached(CREATED, self.spec.pods)
                async with session.disturbed(self.trial):
                    await self._scheduled()
                    async with session.step(marks.DRAIN, trial, measured=True):
                        await self._reached(marks.READY, self.watch.count(SCHEDULED))
            finally:
                async with session.step("delete", trial):
                    await self._delete()

    async def _scheduled(self) -> None:
        """The scheduler's life."""
        session, trial = self.session, self.trial.id
        log = session.folder.raw(f"{trial}-{self.scheduler.name}.log")
        requests = audit_log(session, self.client.cluster)
        acts: list[Callable[[], Awaitable[None]]] = []
        await self._look()
        async with program.running(self.place, self.scheduler, log) as running, self._sampled(running) as sampled:
            if self.spec.start == "before":
                await sampled()
                await self._primed(running)
                await self._look()
                acts.append(self._create)
            async with session.step(marks.LOAD, trial, measured=True):
                acts += [sampled, partial(self._measured, running)]
                await each(acts, lambda act: act())
            await self._weighed(running)
        await count_agents(session, requests, trial)

    @asynccontextmanager
    async def _sampled(self, running: Running) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """From a call inside to the end of the block its CPU and memory are measured."""
        sampling, name = self.session.sampling, running.component.program
        try:
            yield partial(sampling.add, name, running.tethered.pid)
        finally:
            await sampling.drop(name)

    async def _primed(self, running: Running) -> None:
        """One pod is bound: it works, and its caches are full."""
        self.watch.trial = name = f"{self.trial.id}-{objects.PRIMER}"
        await self.client.create(resources.PODS, objects.primer(self._setting()), retry=True)
        bound = await self._until(running, lambda: self.watch.count(SCHEDULED, name) > 0, PRIMER_SECONDS)
        self.watch.trial = self.trial.id
        if not bound and not running.tethered.ended.done():
            raise DeadlineError(f"{self.scheduler.name} did not bind one pod within {PRIMER_SECONDS:.0f} s")

    async def _measured(self, running: Running) -> None:
        """Until all pods are bound, or the scheduler has ended, or the time is up."""
        session, spec = self.session, self.spec
        async with AsyncExitStack() as stack:
            scraped = None
            if await self._until(running, lambda: self.watch.count(SCHEDULED) > 0, spec.timeouts.object):
                scraped = await self._inside(stack, running)
            await self._until(running, partial(self._there, SCHEDULED, spec.pods), spec.timeouts.object)
            if scraped is not None and not running.tethered.ended.done():
                await scraped.scrape()
            await self._look()
        if running.tethered.ended.done():
            text = (
                f"{self.scheduler.name} ended with code {running.tethered.ended.result()} when"
                f" {self.watch.count(SCHEDULED)} of {spec.pods} pods were bound: {running.last_words()}"
            )
            session.recorder.anomaly("scheduler-died", text, trial=self.trial.id, cluster=self.client.cluster)

    async def _inside(self, stack: AsyncExitStack, running: Running) -> Scraper | None:
        """Its own metrics and profiles from the first bound pod on, where it has them."""
        session, component = self.session, running.component
        if not component.metrics:
            return None
        page = Target(component.component, component.cluster, url=component.metrics, tls=component.tls,
                      kept=series.SCHEDULER)  # fmt: skip
        scraped = await stack.enter_async_context(scraping(session, [page]))
        if session.spec.profiles.enabled:
            alone = session.fleet.model_copy(update={"components": [component]})
            wanted = session.spec.profiles.model_copy(update={"programs": []})
            await stack.enter_async_context(Profiling(alone, wanted, session.folder.path, session.recorder))
        return scraped

    async def _weighed(self, running: Running) -> None:
        await weigh_memory(self.session, self.trial.id)
        found = await asyncio.to_thread(weigh_pid, running.component.program, running.tethered.pid)
        if found is not None:
            self.session.measured("pss", found.pss / MIB, "MiB", trial=self.trial.id, program=found.program)

    async def _look(self) -> None:
        """Programs and the API server's counters at an edge of what is measured."""
        await asyncio.gather(self.scraper.scrape(), self.session.sampling.sample())

    async def _until(self, running: Running, true: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true before the scheduler ended and the time was up."""
        waiting = asyncio.create_task(self.watch.until(true, timeout=seconds))
        try:
            await asyncio.wait({waiting, running.tethered.ended}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else true()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def _there(self, mark: str, count: int) -> bool:
        there = self.watch.count(mark)
        self.session.progress.marks(there, count)
        return there >= count

    async def _reached(self, mark: str, count: int) -> None:
        seconds = self.spec.timeouts.object
        if not await self.watch.until(partial(self._there, mark, count), timeout=seconds):
            text = f"{self.watch.count(mark)} of {count} pods were {mark} within {seconds:.0f} s"
            self.session.recorder.anomaly("unfinished", text, trial=self.trial.id, cluster=self.client.cluster)

    # --- creation and deletion ------------------------------------------------------------------------------------
    def _setting(self) -> objects.Setting:
        names = self.session.names
        return objects.Setting(
            namespace=names.namespace,
            labels={**self.scheduler.labels, **names.labels(trial=self.trial.id)},
            prefix=self.trial.id,
            scheduler=self.scheduler.pods_name,
            nodes=self.nodes,
            classes=self.classes,
            seed=self.spec.seed,
        )

    async def _create(self) -> None:
        """All of them, `writers` at a time."""
        resource, make = _MADE[self.spec.by]
        bodies = make(self.trial.load, self.spec.pods, self._setting())
        await each(bodies, partial(self._one, resource), at_once=self.spec.writers)

    async def _one(self, resource: Resource, body: Mapping[str, Any]) -> None:
        meta = body["metadata"]
        await self.session.request(
            self.trial.id, "create", self.client.cluster, lambda: self.client.create(resource, body),
            str(resource), meta["name"], meta["namespace"],
        )  # fmt: skip

    async def _delete(self) -> None:
        """Owners first: they would make what is deleted again."""
        session, trial = self.session, self.trial.id
        if self.spec.by == "deployment":
            selector = session.names.selector(trial=trial)
            for owner in (resources.DEPLOYMENTS, resources.REPLICASETS):
                await self.client.delete_collection(owner, session.names.namespace, label_selector=selector)
        seconds = self.spec.timeouts.clean
        left = await delete_in_batches(
            session, self.client, self.watch, resources.PODS, trial, batch=BATCH, seconds=seconds
        )
        if left > 0:
            text = f"{left} of {self.watch.count(CREATED)} pods of the trial are still there"
            session.recorder.anomaly("left-behind", text, trial=trial, cluster=self.client.cluster)


_MADE: Mapping[str, tuple[Resource, Callable[..., list[dict[str, Any]]]]] = {
    "pod": (resources.PODS, objects.pods),
    "deployment": (resources.DEPLOYMENTS, objects.deployments),
}
