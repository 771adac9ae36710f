"""Its trials and its body: no node, then each sort of nodes by itself; a window at rest, then the same load of pods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from fleet.errors import SpecError, UsageError
from fleet.experiment import open_loop
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.reconfigure import STEP as RECONFIGURE
from fleet.experiment.session import Session
from fleet.experiment.sweep import sweep
from fleet.experiment.watches import Watches, pod_marks
from fleet.experiments.node_fidelity import series
from fleet.experiments.node_fidelity.sorts import Nodes, Sort, sorts_of
from fleet.experiments.node_fidelity.spec import NodeFidelity
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.pod_marks import RUNNING, SCHEDULED, TERMINATING
from fleet.model.stage import Stage
from fleet.observe.metrics import Scraper
from fleet.observe.wec_pages import wec_pages

RESOURCE = str(resources.PODS)


@dataclass(frozen=True)
class FidelityTrial(PlannedTrial):
    """One sort of nodes; None: no node runs."""

    sort: Sort | None = None


class NodeFidelityExperiment(OwnExperiment[NodeFidelity]):
    """The body."""

    name = "node-fidelity"
    file = NodeFidelity
    own_stages = (
        Stage(name="schedule", begin="created", end=SCHEDULED, text="a pod seen, has a node", resource=RESOURCE),
        Stage(name="start", begin=SCHEDULED, end=RUNNING, text="has a node, runs", resource=RESOURCE, optional=True),
        Stage(name="end", begin=TERMINATING, end="deleted", text="a deletion seen, gone", resource=RESOURCE,
              optional=True),
    )  # fmt: skip

    def plan(self, spec: NodeFidelity, fleet: FleetFile, manager: Manager) -> Sequence[FidelityTrial]:
        """In each round no node, then each sort."""
        wec, sorts = sorts_of(fleet)
        if manager.name != "none":
            raise UsageError(
                f"{manager.name} works in the WEC too, and its requests would count: fleet up -e manager=none"
            )
        if spec.during:
            raise SpecError("nodes that are disturbed do not rest", field="during")
        if spec.profiles.enabled:
            raise SpecError("a program that is profiled does not rest", field="profiles.enabled")
        points: dict[str, Sort | None] = {f"nodes={series.NONE}": None, **{f"nodes={one.name}": one for one in sorts}}
        return [
            FidelityTrial(one.id, one.repeat, one.point, (wec.name,), _what(spec, points[one.point]), points[one.point])
            for one in repeated(spec, list(points), [wec.name])
        ]

    def needs(self, spec: NodeFidelity, fleet: FleetFile, trials: Sequence[FidelityTrial]) -> Needs:  # noqa: ARG002
        """The WEC."""
        return Needs(frozenset(trials[0].clusters), frozenset())

    async def run(self, session: Session, trials: Sequence[FidelityTrial]) -> None:
        """At its end all nodes run again, whatever happened."""
        spec: NodeFidelity = session.spec
        wec, sorts = sorts_of(session.fleet)
        client = session.spaces.wecs[wec.name]
        async with session.step("prepare"):
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
        nodes = Nodes(session.fleet, wec, sorts, client)
        pages = wec_pages(session.fleet, {wec.name: client}, series.KEPT, {})
        async with AsyncExitStack() as stack:
            stack.push_async_callback(nodes.all)
            watches = await stack.enter_async_context(
                Watches(session, (wec.name,), {resources.PODS: lambda _, pod: pod_marks(pod)})
            )
            scraper = await stack.enter_async_context(Scraper(pages, session.recorder))
            body = _Body(session, client, nodes, watches, scraper)
            for trial in trials:
                async with session.step(RECONFIGURE):
                    count = await nodes.only(trial.sort, spec.timeouts.settle)
                    if not await nodes.rest(trial.sort, spec.settle, spec.timeouts.settle):
                        text = f"nodes still change after {spec.timeouts.settle:g} s ({trial.point})"
                        session.recorder.anomaly("not-quiet", text, trial=trial.id)
                watches.begin(trial.id)
                await session.sampling.sample()
                async with session.trial(trial):
                    session.measured(series.NODES, count, "1", trial=trial.id)
                    await body.idle(trial)
                    if trial.sort is not None:
                        await body.pods(trial, trial.sort)
                    await session.sampling.sample()
                async with session.step("clean", trial.id):
                    await sweep(session, trial.id, client, (resources.PODS,))


class _Body:
    """What a trial does."""

    def __init__(self, session: Session, client: KubeClient, nodes: Nodes, watches: Watches, scraper: Scraper) -> None:
        self._session = session
        self._spec: NodeFidelity = session.spec
        self._client = client
        self._nodes = nodes
        self._watches = watches
        self._scraper = scraper

    async def idle(self, trial: FidelityTrial) -> None:
        """A window in which nobody does anything."""
        sort, session = trial.sort, self._session
        before = await asyncio.to_thread(self._nodes.work, sort) if sort else None
        await self._scraper.scrape()
        async with session.step(series.IDLE, trial.id):
            began = time.monotonic()
            await asyncio.sleep(self._spec.window)
            await self._scraper.scrape()
            seconds = time.monotonic() - began
        if sort is not None and before is not None:
            after = await asyncio.to_thread(self._nodes.work, sort)
            session.measured(series.NODE_CPU, (after.cpu - before.cpu) / seconds, "cores", trial=trial.id)
            session.measured(series.NODE_MEMORY, after.memory, "B", trial=trial.id)

    async def pods(self, trial: FidelityTrial, sort: Sort) -> None:
        """Created at the rate, run for `stay`, deleted at the rate; until the last one is gone."""
        session, spec = self._session, self._spec
        session.expect(trial.id, RESOURCE, spec.pods)
        names = [f"{trial.id}-{number:03d}" for number in range(spec.pods)]
        labels = session.names.labels(trial=trial.id)
        async with session.step(series.PODS, trial.id, measured=True):
            bodies = {name: pod(name, labels, spec.image, sort) for name in names}
            await self._each(
                trial,
                "create",
                names,
                lambda name: self._client.create(resources.PODS, bodies[name], session.names.namespace),
            )
            await self._until(trial, RUNNING, "ran")
            await asyncio.sleep(spec.stay)
            await self._each(
                trial, "delete", names, lambda name: self._client.delete(resources.PODS, name, session.names.namespace)
            )
            await self._until(trial, "deleted", "were gone")
            await self._scraper.scrape()

    async def _each(
        self, trial: FidelityTrial, op: str, names: Sequence[str], act: Callable[[str], Awaitable[object]]
    ) -> None:
        session = self._session

        async def one(name: str, due_ns: int) -> None:
            await session.request(
                trial.id, op, self._client.cluster, lambda: act(name), RESOURCE, name, session.names.namespace,
                due_ns=due_ns,
            )  # fmt: skip

        actions = [open_loop.Due(number / self._spec.qps, partial(one, name)) for number, name in enumerate(names)]
        await open_loop.run(actions, time.monotonic_ns())

    async def _until(self, trial: FidelityTrial, mark: str, what: str) -> None:
        count, seconds = self._spec.pods, self._spec.timeouts.object
        if not await self._watches.reached(resources.PODS, mark, count, timeout=seconds):
            there = self._watches.count(resources.PODS, mark)
            text = f"{there} of {count} pods {what} within {seconds:.0f} s ({trial.point})"
            self._session.recorder.anomaly("pods", text, trial=trial.id)


def pod(name: str, labels: dict[str, str], image: str, sort: Sort) -> dict[str, Any]:
    """One with a service account token, as most have; it ends as soon as it is asked to."""
    containers = [{"name": "main", "image": image, "imagePullPolicy": "IfNotPresent"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": containers, **sort.placing()},
    }


def _what(spec: NodeFidelity, sort: Sort | None) -> str:
    rest = f"{spec.window:g} s at rest"
    return f"no node, {rest}" if sort is None else f"{sort.name} nodes, {rest}, {spec.pods} pods"


EXPERIMENT = NodeFidelityExperiment()
