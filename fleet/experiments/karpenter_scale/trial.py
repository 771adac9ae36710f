"""One trial: pods that need nodes, all Running; then fewer pods or another template, until all is quiet; then gone."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import audit_log, count_agents, weigh_memory
from fleet.experiments.karpenter_scale import marks, objects
from fleet.experiments.karpenter_scale.scenarios import Load, Scenario
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import DEPLOYMENTS, NAMESPACES, Resource
from fleet.observe.marks import CREATED, DELETED, Marked, MarkWatch
from fleet.observe.metrics import Scraper
from fleet.platforms.karpenter import names

if TYPE_CHECKING:
    from fleet.experiments.karpenter_scale.experiment import ScaleTrial


@dataclass(frozen=True)
class Watches:
    """What the run sees of its objects."""

    pods: MarkWatch
    claims: MarkWatch

    def counts(self, trial: str) -> Hashable:
        """Another value whenever an object of the trial reached a mark."""
        return tuple(sum(n for (of, _), n in watch.counts.items() if of == trial) for watch in (self.pods, self.claims))

    def alive(self, watch: MarkWatch, trial: str) -> list[Marked]:
        """Objects of the trial that are there."""
        return [one for one in watch.objects.values() if one.trial == trial and DELETED not in one.marks]


class Trial:
    """The trials of one run."""

    def __init__(self, session: Session, client: KubeClient, watches: Watches, scraper: Scraper) -> None:
        self._session = session
        self._client = client
        self._watches = watches
        self._scraper = scraper

    async def run(self, trial: ScaleTrial) -> None:
        """From the NodePool until everything is gone."""
        session, scenario = self._session, trial.scenario
        await self._scraper.scrape()
        log = audit_log(session, self._client.cluster)
        async with session.trial(trial):
            session.expect(trial.id, marks.POD, scenario.pods, cluster=self._client.cluster)
            async with session.disturbed(trial):
                async with session.step(marks.SCALE_OUT, trial.id, measured=True):
                    await self._scale_out(trial, scenario)
                await self._look()
                await weigh_memory(session, trial.id)
                async with session.step(marks.CHANGE, trial.id, measured=True):
                    await self._change(trial, scenario)
            await self._look()
            async with session.step(marks.DELETE, trial.id, measured=True):
                await self._delete(trial)
            await self._scraper.scrape()
            await session.sampling.sample()
            await count_agents(session, log, trial.id)

    async def _look(self) -> None:
        """Between two phases: every page and every program."""
        await self._scraper.scrape()
        await self._session.sampling.sample()

    async def _scale_out(self, trial: ScaleTrial, scenario: Scenario) -> None:
        """Everything at once, then wait until every pod runs; what does not in time is missing from the samples."""
        session, spec = self._session, self._session.spec
        labels, namespace = session.names.labels(trial=trial.id), session.names.namespace
        space = await self._client.get(NAMESPACES, namespace)
        pool = objects.node_pool(pool_of(trial, session), labels, space, spec.consolidate_after)
        await self._client.create(names.NODE_POOLS, pool, retry=True)

        async def one(load: Load) -> None:
            name = _name(trial, load)
            body = objects.deployment(name, load, labels)
            await session.request(
                trial.id, "create", self._client.cluster, lambda: self._client.create(DEPLOYMENTS, body, namespace),
                str(DEPLOYMENTS), name, namespace,
            )  # fmt: skip

        await each(scenario.loads, one)
        pods = self._watches.pods

        def all_run() -> bool:
            there = pods.count(marks.RUNNING, trial.id)
            session.progress.marks(there, scenario.pods)
            return there >= scenario.pods

        if not await pods.until(all_run, timeout=spec.timeouts.object):
            there, seconds = pods.count(marks.RUNNING, trial.id), spec.timeouts.object
            text = f"{there} of {scenario.pods} pods ran within {seconds:.0f} s"
            session.recorder.anomaly("not-running", text, cluster=self._client.cluster)

    async def _change(self, trial: ScaleTrial, scenario: Scenario) -> None:
        """Fewer pods or another template; over when nothing changed for so long and all is as it should be."""
        session, spec = self._session, self._session.spec
        if scenario.change == "drift":
            await self._patch(trial, names.NODE_POOLS, pool_of(trial, session), objects.drifted(trial.id))
        else:

            async def one(load: Load) -> None:
                await self._patch(trial, DEPLOYMENTS, _name(trial, load), {"spec": {"replicas": load.after}})

            await each(scenario.loads, one)
        end = time.monotonic() + spec.change
        seen = self._watches.pods
        while (left := end - time.monotonic()) > 0:
            before = self._watches.counts(trial.id)
            session.progress.marks(seen.count(marks.RUNNING, trial.id) - seen.count(DELETED, trial.id), scenario.left)
            changed = await self._watches.pods.until(
                lambda before=before: self._watches.counts(trial.id) != before,  # type: ignore[misc]
                timeout=min(spec.quiet, left),
            )
            if not changed and left >= spec.quiet and self._settled(trial, scenario):
                session.measured(marks.SETTLED, spec.quiet, "s", trial=trial.id)
                return
        pods, claims = (self._watches.alive(watch, trial.id) for watch in (self._watches.pods, self._watches.claims))
        text = (
            f"{scenario.change} was not over within {spec.change:.0f} s: {len(pods)} pods for {scenario.left},"
            f" {sum(marks.RUNNING not in pod.marks for pod in pods)} of them not Running, {len(claims)} NodeClaims,"
            f" {sum(marks.DELETING in claim.marks for claim in claims)} of them being deleted"
        )
        session.recorder.anomaly("not-settled", text, cluster=self._client.cluster)

    def _settled(self, trial: ScaleTrial, scenario: Scenario) -> bool:
        """As many pods as there should be, all Running; nodes that are ready and stay; of a drift, none of the old."""
        pods, claims = (self._watches.alive(watch, trial.id) for watch in (self._watches.pods, self._watches.claims))
        unwanted = {marks.DELETING, *((marks.DRIFTED,) if scenario.change == "drift" else ())}
        return (
            len(pods) == scenario.left
            and all(marks.RUNNING in pod.marks and marks.DELETING not in pod.marks for pod in pods)
            and all(marks.INITIALIZED in claim.marks and unwanted.isdisjoint(claim.marks) for claim in claims)
        )

    async def _patch(self, trial: ScaleTrial, resource: Resource, name: str, patch: Mapping[str, Any]) -> None:
        namespace = self._session.names.namespace if resource.namespaced else None
        await self._session.request(
            trial.id, "patch", self._client.cluster, lambda: self._client.patch(resource, name, patch, namespace),
            str(resource), name, namespace or "",
        )  # fmt: skip

    async def _delete(self, trial: ScaleTrial) -> None:
        """Deployments first; then the NodePool with its NodeClaims, whose nodes are empty."""
        session, spec, client = self._session, self._session.spec, self._client
        selector = session.names.selector(trial=trial.id)
        end = time.monotonic() + spec.timeouts.clean
        watches = self._watches
        space = session.names.namespace
        await client.delete_collection(DEPLOYMENTS, space, label_selector=selector, propagation="Background")
        for watch, what in ((watches.pods, "pods"), (watches.claims, "NodeClaims")):
            if watch is watches.claims:
                await client.delete_collection(names.NODE_POOLS, label_selector=selector)
                await client.delete_collection(names.NODE_CLAIMS, label_selector=selector)

            def gone(watch: MarkWatch = watch) -> bool:
                made, went = watch.count(CREATED, trial.id), watch.count(DELETED, trial.id)
                session.progress.marks(went, made)
                return went >= made

            if not await watch.until(gone, timeout=max(1.0, end - time.monotonic())):
                text = f"{len(watches.alive(watch, trial.id))} {what} were not gone"
                session.recorder.anomaly("not-deleted", text, cluster=client.cluster)


def pool_of(trial: ScaleTrial, session: Session) -> str:
    """Name of the NodePool of a trial: NodePools have no namespace."""
    return f"{session.names.namespace}-{trial.id}"


def _name(trial: ScaleTrial, load: Load) -> str:
    return f"{trial.id}-{load.name}"
