"""Its trials and its body: for each scraper, page, way and number a window, alongside a load of ConfigMaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fleet.errors import SpecError, UsageError
from fleet.experiment import open_loop
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.watches import Watches, pod_marks
from fleet.experiments.node_scrape import figures, prometheus
from fleet.experiments.node_scrape.pages import CONTAINER, OF_NODE, Reader, RunningPod
from fleet.experiments.node_scrape.prometheus import Prometheus, Scrape
from fleet.experiments.node_scrape.spec import By, NodeScrape, PageName
from fleet.host.drivers.driver import driver_kind
from fleet.host.layout import Layout
from fleet.host.pods import pod_programs
from fleet.host.process_stats import weigh_pids
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.managers.manager import Manager
from fleet.model.fleet_file import Cluster, FleetFile
from fleet.model.pod_marks import RUNNING
from fleet.model.stage import Stage
from fleet.observe.processes import programs
from fleet.results.events import Requested
from fleet.simulators import scraped
from fleet.simulators.node_objects import NODE_LABEL
from fleet.simulators.scraped import Way, kubelet_of
from fleet.simulators.simulator import simulator

CONFIGMAPS = str(resources.CONFIGMAPS)
IMAGE = "registry.k8s.io/pause:3.10.1"
PROMETHEUS: By = "prometheus"


@dataclass(frozen=True)
class ScrapeTrial(PlannedTrial):
    """One page, way, and number of scrapers of one kind; without scrapers the load alone."""

    page: PageName = "metrics"
    way: Way = "proxy"
    scrapers: int = 0
    by: By = "driver"


class NodeScrapeExperiment(OwnExperiment[NodeScrape]):
    """The body."""

    name = "node-scrape"
    file = NodeScrape
    own_stages = (
        Stage(name="load", begin="due", end="answered", text="a ConfigMap due, its creation answered",
              resource=CONFIGMAPS),
    )  # fmt: skip

    def bounded(self, spec: NodeScrape, fleet: FleetFile, manager: Manager) -> Sequence[str]:
        """Its stage, and that of the scrapes."""
        return [*super().bounded(spec, fleet, manager), figures.SCRAPE]

    def plan(self, spec: NodeScrape, fleet: FleetFile, manager: Manager) -> Sequence[ScrapeTrial]:  # noqa: ARG002
        """In each round the load alone, then by every scraper every page by every way with every number of them."""
        wec = scraped_wec(fleet)
        if "direct" in spec.ways and pod_programs(Layout(Path(fleet.machine(wec.machine).state_dir)), wec.name):
            raise SpecError("the nodes are pods, whose addresses are inside their node: set [proxy]", field="ways")
        if PROMETHEUS in spec.by:
            prometheus_of(fleet, wec)
        if spec.profiles.enabled:
            raise SpecError("a profile takes CPU of what is measured", field="profiles.enabled")
        points: dict[str, tuple[PageName, Way, int, By]] = {figures.ALONE: ("metrics", "proxy", 0, "driver")}
        points |= {
            f"{'' if by == 'driver' else f'by={by} '}page={page} way={way} scrapers={count}": (page, way, count, by)
            for by in spec.by
            for page in spec.pages
            if by != PROMETHEUS or page in scraped.PAGES
            for way in spec.ways
            for count in spec.scrapers
        }
        return [
            ScrapeTrial(one.id, one.repeat, one.point, (wec.name,), f"{spec.duration:g} s", *points[one.point])
            for one in repeated(spec, list(points), [wec.name])
        ]

    def needs(self, spec: NodeScrape, fleet: FleetFile, trials: Sequence[ScrapeTrial]) -> Needs:  # noqa: ARG002
        """The WEC."""
        return Needs(frozenset(trials[0].clusters), frozenset())

    async def run(self, session: Session, trials: Sequence[ScrapeTrial]) -> None:
        """The pods run from before the first trial until after the last."""
        spec: NodeScrape = session.spec
        wec = scraped_wec(session.fleet)
        client = session.spaces.wecs[wec.name]
        async with AsyncExitStack() as stack:
            async with session.step("prepare"):
                wanted = {session.names.namespace}
                await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
                nodes = await _nodes(client, session.fleet)
                watches = await stack.enter_async_context(
                    Watches(session, (wec.name,), {resources.PODS: lambda _, pod: pod_marks(pod)})
                )
                pods = await _pods(session, client, watches)
            kubelets_of = {node.name: node for node in map(kubelet_of, nodes)}
            reader = await stack.enter_async_context(Reader(client, kubelets_of))
            scraper = None
            if PROMETHEUS in spec.by:
                root = Path(session.fleet.machine(wec.machine).state_dir)
                opening = prometheus.opened(prometheus_of(session.fleet, wec), root)
                scraper = await stack.enter_async_context(opening)
            body = _Body(session, client, reader, pods, _Machine(session.fleet, wec), scraper=scraper)
            await stack.enter_async_context(session.measuring())
            for trial in trials:
                await asyncio.sleep(spec.settle)
                async with session.trial(trial):
                    await body.run(trial)
                async with session.step("clean", trial.id):
                    selector = session.names.selector(trial=trial.id)
                    await client.delete_collection(
                        resources.CONFIGMAPS, session.names.namespace, label_selector=selector
                    )


class _Machine:
    """CPU that the programs of one WEC have used."""

    def __init__(self, fleet: FleetFile, wec: Cluster) -> None:
        self._root = Path(fleet.machine(wec.machine).state_dir)
        serves = driver_kind(wec.driver).serves
        here = [one for one in fleet.components if one.machine == wec.machine]
        self._server = {
            f"{serves}.{wec.name}",
            *(one.program for one in here if one.component == serves and not one.cluster),
        }
        self._nodes = {one.program for one in here if one.cluster == wec.name and one.component in kubelets(fleet)}
        self._nodes |= {one.program for one in pod_programs(Layout(self._root), wec.name)}

    def cpu(self) -> tuple[float, float]:
        """Seconds of the API server's process, and of the nodes'. Blocking."""
        found = weigh_pids(sorted(programs(self._root)().items()))
        sums = [sum(one.cpu_seconds for one in found if one.program in group) for group in (self._server, self._nodes)]
        return sums[0], sums[1]


class _Body:
    """What a trial does."""

    def __init__(
        self,
        session: Session,
        client: KubeClient,
        reader: Reader,
        pods: Sequence[RunningPod],
        machine: _Machine,
        *,
        scraper: Prometheus | None,
    ) -> None:
        self._session = session
        self._spec: NodeScrape = session.spec
        self._client = client
        self._reader = reader
        self._pods = pods
        self._machine = machine
        self._scraper = scraper
        self._bytes = 0

    async def run(self, trial: ScrapeTrial) -> None:
        """The load, and the scrapers alongside it."""
        if trial.by != PROMETHEUS or self._scraper is None:
            await self._window(trial)
            return
        async with self._scraper.scraping(trial.id, self._targets(trial), self._spec.interval):
            begin = time.time()
            await self._window(trial)
            end = time.time()
            made = await self._scraper.scrapes(trial.id, begin, end)
        for one in made:
            self._record(trial, one)
        self._session.measured(figures.BYTES, sum(one.bytes for one in made), "B", trial=trial.id)

    async def _window(self, trial: ScrapeTrial) -> None:
        session, self._bytes = self._session, 0
        before = await asyncio.to_thread(self._machine.cpu)
        async with session.disturbed(trial):
            async with session.step("load", trial.id, measured=True):
                began = time.monotonic_ns()
                await open_loop.run(sorted(self._actions(trial), key=lambda one: one.offset), began)
            seconds = (time.monotonic_ns() - began) / 1e9
        after = await asyncio.to_thread(self._machine.cpu)
        for name, was, now in zip((figures.SERVER_CPU, figures.NODE_CPU), before, after, strict=True):
            session.measured(name, (now - was) / seconds, "cores", trial=trial.id)
        if trial.by != PROMETHEUS:
            session.measured(figures.BYTES, self._bytes, "B", trial=trial.id)
        session.measured(figures.SECONDS, seconds, "s", trial=trial.id)

    def _actions(self, trial: ScrapeTrial) -> Iterator[open_loop.Due]:
        spec = self._spec
        for number in range(int(spec.duration * spec.load_qps)):
            yield open_loop.Due(number / spec.load_qps, partial(self._create, trial, number))
        if trial.by == PROMETHEUS:
            return
        targets: Sequence[str | RunningPod] = list(self._reader.nodes) if trial.page in OF_NODE else self._pods
        gap = spec.interval / len(targets)
        for scraper in range(trial.scrapers):
            shift = gap * scraper / trial.scrapers  # scrapers do not know of each other
            for number in range(int((spec.duration - shift) / gap)):
                target = targets[number % len(targets)]
                yield open_loop.Due(shift + number * gap, partial(self._scrape, trial, target))

    def _targets(self, trial: ScrapeTrial) -> list[dict[str, Any]]:
        server, cluster = self._client.transport.endpoint.server, self._client.cluster
        nodes = [scraped.target(cluster, server, node, trial.page, trial.way) for node in self._reader.nodes.values()]
        return prometheus.targets(trial.id, nodes, trial.scrapers, self._spec.interval)

    def _record(self, trial: ScrapeTrial, one: Scrape) -> None:
        """As a request of our own; Prometheus stamps by the wall clock."""
        shift = time.time_ns() - time.monotonic_ns()
        began, ended = round(one.begin * 1e9), round((one.begin + one.seconds) * 1e9)
        self._session.recorder.record(
            Requested(
                ns=ended - shift, wall=ended, trial=trial.id, op=figures.SCRAPE, cluster=self._client.cluster,
                due_ns=began - shift, sent_ns=began - shift, code=200 if one.answered else 0,
                error="" if one.answered else "ScrapeError", resource=one.page, name=one.node,
            )
        )  # fmt: skip

    async def _create(self, trial: ScrapeTrial, number: int, due_ns: int) -> None:
        session = self._session
        name, namespace = f"{trial.id}-{number:05d}", session.names.namespace
        labels = session.names.labels(trial=trial.id)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        create = partial(self._client.create, resources.CONFIGMAPS, body, namespace)
        await session.request(
            trial.id, "create", self._client.cluster, create, CONFIGMAPS, name, namespace, due_ns=due_ns
        )

    async def _scrape(self, trial: ScrapeTrial, target: str | RunningPod, due_ns: int) -> None:
        async def act() -> None:
            if isinstance(target, str):
                self._bytes += await self._reader.of_node(trial.page, trial.way, target)
            else:
                self._bytes += await self._reader.of_pod(trial.page, trial.way, target)

        name = target if isinstance(target, str) else target.name
        await self._session.request(
            trial.id, figures.SCRAPE, self._client.cluster, act, trial.page, name, due_ns=due_ns
        )


def kubelets(fleet: FleetFile) -> list[str]:
    """The simulators of the fleet whose nodes have a kubelet."""
    return [name for name in simulator(fleet.node_simulator).parts if simulator(name).kubelets]


def values(fleet: FleetFile) -> list[str]:
    """Of the label on the nodes that have a kubelet."""
    return [simulator(name).value for name in kubelets(fleet)]


def scraped_wec(fleet: FleetFile) -> Cluster:
    """The first WEC. UsageError where it has no node with a kubelet, or is not on this machine."""
    wec = next(iter(fleet.wecs()), None)
    if wec is None or not wec.built or fleet.machine(wec.machine).connection != "local":
        raise UsageError("node-scrape measures programs of a WEC on this machine, which this fleet does not have")
    if not kubelets(fleet) or not fleet.wec_nodes:
        raise UsageError(
            f"node-scrape reads kubelets, and no node of this fleet has one (node_simulator: {fleet.node_simulator}):"
            " build it with one whose nodes have"
        )
    return wec


def prometheus_of(fleet: FleetFile, wec: Cluster) -> str:
    """URL of the Prometheus on that WEC's machine. UsageError where there is none, or where it scrapes nodes all the
    time."""
    url = scraped.first_address(fleet.components, wec.machine)
    if not url:
        raise UsageError(
            "by: prometheus is the fleet's own: build the fleet with monitoring_enabled=true, or leave it out"
        )
    if fleet.variables.get("monitoring_nodes", "none") != "none":
        raise UsageError(
            "by: prometheus scrapes nodes in its trials alone, and this fleet's does all the time: set"
            " monitoring_nodes=none"
        )
    return url


async def _nodes(client: KubeClient, fleet: FleetFile) -> list[dict[str, object]]:
    wanted = f"{NODE_LABEL} in ({','.join(values(fleet))})"
    return await client.list_all(resources.NODES, label_selector=wanted)


async def _pods(session: Session, client: KubeClient, watches: Watches) -> list[RunningPod]:
    """So many, and all of them run. Each goes to a node that can be scraped."""
    spec: NodeScrape = session.spec
    namespace, term = (
        session.names.namespace,
        {"matchExpressions": [{"key": NODE_LABEL, "operator": "In", "values": values(session.fleet)}]},
    )
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}

    async def make(number: int) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"scraped-{number:04d}", "labels": session.names.labels()},
            "spec": {"containers": [{"name": CONTAINER, "image": IMAGE}], "affinity": affinity},
        }
        await client.create(resources.PODS, body, namespace)

    await each(range(spec.pods), make)
    if not await watches.reached(resources.PODS, RUNNING, spec.pods, timeout=spec.timeouts.object):
        there = watches.count(resources.PODS, RUNNING)
        raise UsageError(f"pods: {there} of {spec.pods} ran within {spec.timeouts.object:.0f} s")
    found = await client.list_all(resources.PODS, namespace, label_selector=session.names.selector())
    return [RunningPod(namespace, pod["metadata"]["name"], pod["spec"]["nodeName"]) for pod in found]


EXPERIMENT = NodeScrapeExperiment()
