"""scheduler-throughput: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import UsageError
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import scraping
from fleet.experiments.room import PODS_OF_NODE, check_memory, check_nodes
from fleet.experiments.scheduler_throughput import marks, nodes, program, series
from fleet.experiments.scheduler_throughput.spec import Load, Scheduler, SchedulerThroughput
from fleet.experiments.scheduler_throughput.trial import Trial
from fleet.host.weight import MIB
from fleet.kube.resources import PODS
from fleet.managers.manager import Manager, Spaces
from fleet.model.fleet_file import Cluster, FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.marks import MarkWatch
from fleet.observe.wec_pages import wec_pages

MEMORY_PER_POD = 0.15 * MIB
"""What API server, etcd, schedulers and the simulator hold more for each."""


@dataclass(frozen=True)
class SchedulerTrial(PlannedTrial):
    """One scheduler under one load."""

    scheduler: Scheduler = field(kw_only=True)
    load: Load = "one-group"


class SchedulerThroughputExperiment(OwnExperiment[SchedulerThroughput]):
    """The body."""

    name = "scheduler-throughput"
    file = SchedulerThroughput
    own_stages = marks.STAGES

    def plan(self, spec: SchedulerThroughput, fleet: FleetFile, manager: Manager) -> Sequence[SchedulerTrial]:  # noqa: ARG002
        """Of each load one scheduler after the other, round after round: what drifts meanwhile hits all of them."""
        wec = wec_of(fleet)
        check_nodes(fleet, f"pods: {spec.pods}", spec.pods)
        check_memory(fleet, f"pods: {spec.pods}", spec.pods, MEMORY_PER_POD)
        for scheduler in spec.schedulers:
            if scheduler.binary:
                program.check_binary(scheduler)
            else:
                program.built(fleet, wec.name)
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        turns = [(repeat, load, one) for repeat in rounds for load in spec.loads for one in spec.schedulers]
        return [
            SchedulerTrial(
                trial_id(n), repeat, f"load={load} scheduler={one.name}", (wec.name,), f"{spec.pods} pods",
                scheduler=one, load=load,
            )
            for n, (repeat, load, one) in enumerate(turns)
        ]  # fmt: skip

    def needs(self, spec: SchedulerThroughput, fleet: FleetFile, trials: Sequence[SchedulerTrial]) -> Needs:  # noqa: ARG002
        """The first WEC."""
        return Needs(frozenset({wec_of(fleet).name}), frozenset())

    async def admit(
        self, spec: SchedulerThroughput, fleet: FleetFile, spaces: Spaces, trials: Sequence[SchedulerTrial]
    ) -> None:
        """Also: its nodes take the pods, and every scheduler its configuration."""
        await super().admit(spec, fleet, spaces, trials)
        client = spaces.wecs[wec_of(fleet).name]
        for scheduler in spec.schedulers:
            if scheduler.configured:
                await asyncio.to_thread(program.check_configuration, fleet, client.cluster, scheduler)
        await nodes.untaint(client)  # of a run that was killed
        found = len(await nodes.names(client))
        if spec.pods > found * PODS_OF_NODE:
            raise UsageError(
                f"pods: {spec.pods} do not fit the {found} nodes of {client.cluster} that have no taint"
                f" ({found * PODS_OF_NODE} pods): lower it, or fleet up without a platform that taints nodes"
            )

    async def run(self, session: Session, trials: Sequence[SchedulerTrial]) -> None:
        """As in the protocol."""
        spec: SchedulerThroughput = session.spec
        client = session.spaces.wecs[trials[0].clusters[0]]
        async with session.step("prepare"):
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
            there = await nodes.names(client)
        priorities = spec.classes if "priority" in spec.loads else 0
        classes = [f"{session.names.short}-priority-{number}" for number in range(priorities)]
        pages = wec_pages(session.fleet, {client.cluster: client}, series.API_SERVER, {})
        watch = MarkWatch(client, PODS, marks.of_pod, session.recorder, namespace=session.names.namespace)
        session.reflectors.append(watch.reflector)
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-scheduler-"))
            await stack.enter_async_context(nodes.classes(client, classes, session.names.labels()))
            await stack.enter_async_context(watch)
            await stack.enter_async_context(session.measuring())
            scraper = await stack.enter_async_context(scraping(session, pages))
            place = program.Place(session.fleet, wec_of(session.fleet), Path(folder))
            for trial in trials:
                await Trial(session, trial, client, watch, scraper, place, there, classes).run()

    async def clean(self, session: Session, trials: Sequence[SchedulerTrial], seconds: float) -> CleanReport:
        """Taints of a trial that was cut off, then the namespace."""
        for client in session.spaces.wecs.values():
            await nodes.untaint(client)
        return await super().clean(session, trials, seconds)


def wec_of(fleet: FleetFile) -> Cluster:
    """The first WEC. UsageError where a scheduler cannot be run alongside it."""
    wecs = fleet.wecs()
    if not wecs:
        raise UsageError(f"the fleet {fleet.name} has no WEC: fleet up -e manager=none -e wec_count=1 -e wec_nodes=50")
    wec = wecs[0]
    if not wec.built or fleet.machine(wec.machine).connection != "local":
        raise UsageError(
            f"{wec.name}: schedulers are started alongside it, so the fleet must have built it, on this machine"
        )
    return wec


EXPERIMENT = SchedulerThroughputExperiment()
"""Finds scheduler-throughput by its folder."""
