"""One trial: a page is opened over all that there is, and watched while nodes, pods and events are added."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from fleet.experiment.open_loop import Due, run
from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import weigh_memory
from fleet.experiments.ui_load import marks
from fleet.experiments.ui_load.backend import Backend
from fleet.experiments.ui_load.client import Client, Wanted, connected
from fleet.experiments.ui_load.objects import Maker
from fleet.experiments.ui_load.spec import Runtime, UiLoad
from fleet.host.weight import MIB
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import NotFound
from fleet.kube.resources import EVENTS, NODES, PODS, Resource
from fleet.observe.metrics import Scraper

if TYPE_CHECKING:
    from fleet.experiments.ui_load.experiment import UiTrial

AFTER_SECONDS = 3.0
"""A page is watched on for so long after the last creation: a table takes up to one second to show what came."""
IDLE_SECONDS = 3.0
"""A drawn page is left alone for so long: what it takes then is its own."""
ORDER_SECONDS = 120.0
"""For an answer that needs no request: a collection of a large heap, or a report of many events."""


@dataclass(frozen=True)
class Trials:
    """The trials of one run."""

    session: Session
    backend: Backend
    programs: Mapping[Runtime, Path]
    folder: Path
    scraper: Scraper

    async def run(self, trial: UiTrial) -> None:
        """From the client's start until what the trial has added is gone."""
        session, spec = self.session, self._spec
        wanted = Wanted(trial.client, trial.page, trial.clusters)
        async with session.trial(trial):
            try:
                log = self.folder / f"{trial.id}-client.log"
                async with connected(wanted, self.backend, self.programs, self.folder, log) as client:
                    async with session.step(marks.LIST, trial.id, measured=True):
                        listed = await client.order("list", spec.page_timeout)
                    await session.sampling.add(f"{trial.client}.client", await asyncio.to_thread(client.page_pid))
                    try:
                        reported = await self._watched(trial, client)
                    finally:
                        await session.sampling.drop(f"{trial.client}.client")
                    self._keep(trial, client, listed, reported)
            finally:
                async with session.step("delete", trial.id):
                    await self._delete(trial)

    async def _watched(self, trial: UiTrial, client: Client) -> Mapping[str, Any]:
        """What came while it watched."""
        session = self.session
        async with session.step("idle", trial.id):
            before, begin = client.cpu_seconds(), time.monotonic()
            await asyncio.sleep(IDLE_SECONDS)
            idle = (client.cpu_seconds() - before) / (time.monotonic() - begin)
        session.measured(marks.CLIENT_IDLE, idle, "cores", trial=trial.id)
        await client.order("watch", ORDER_SECONDS)
        await self._look()
        before, begin = client.cpu_seconds(), time.monotonic()
        async with session.disturbed(trial), session.step(marks.WATCH, trial.id, measured=True):
            await run(self._additions(trial), time.monotonic_ns())
            await asyncio.sleep(AFTER_SECONDS)
        session.measured(marks.CLIENT_CPU, client.cpu_seconds() - before, "s", trial=trial.id)
        session.measured(marks.WATCHED, time.monotonic() - begin, "s", trial=trial.id)
        await self._look()
        session.measured(marks.CLIENT_PSS, await asyncio.to_thread(client.pss) / MIB, "MiB", trial=trial.id)
        await weigh_memory(session, trial.id)
        session.measured(marks.CLOCK, client.slack_ns / 1e6, "ms", trial=trial.id)
        return await client.order("report", ORDER_SECONDS)

    def _additions(self, trial: UiTrial) -> Iterator[Due]:
        """The creations of the watched time, each kind at its rate, over the WECs in turn."""
        spec, names = self._spec, self.session.names
        maker = Maker(names.namespace, names.labels(trial=trial.id))
        kinds = ((NODES, spec.rates.node, maker.node), (PODS, spec.rates.pod, maker.pod),
                 (EVENTS, spec.rates.event, maker.event))  # fmt: skip
        found = [
            (number / rate, resource, body(f"{trial.id}-{resource.plural[:-1]}-{number:05d}"), number)
            for resource, rate, body in kinds
            if rate
            for number in range(round(spec.duration * rate))
        ]
        for offset, resource, body, number in sorted(found, key=lambda one: one[0]):
            yield Due(
                offset, partial(self._create, trial, resource, body, trial.clusters[number % len(trial.clusters)])
            )

    async def _create(
        self, trial: UiTrial, resource: Resource, body: Mapping[str, Any], cluster: str, due_ns: int
    ) -> None:
        client, meta = self.session.spaces.wecs[cluster], body["metadata"]
        await self.session.request(
            trial.id, "create", cluster, lambda: client.create(resource, body), str(resource), meta["name"],
            meta.get("namespace", ""), due_ns=due_ns,
        )  # fmt: skip

    def _keep(self, trial: UiTrial, client: Client, listed: Mapping[str, Any], reported: Mapping[str, Any]) -> None:
        """Its answers, with what brings its stamps onto the driver's clock, for the analysis."""
        whole = {"offset_ns": client.offset_ns, "listed": listed, "reported": reported}
        self.session.folder.write(f"raw/{trial.id}-client.json", orjson.dumps(whole) + b"\n")

    async def _look(self) -> None:
        await asyncio.gather(self.scraper.scrape(), self.session.sampling.sample())

    async def _delete(self, trial: UiTrial) -> None:
        """What the trial has added."""
        await each(self.session.spaces.wecs.values(), partial(emptied, self.session, trial.id))

    @property
    def _spec(self) -> UiLoad:
        spec: UiLoad = self.session.spec
        return spec


async def emptied(session: Session, trial: str, client: KubeClient) -> None:
    """Delete nodes, pods and events of a trial (empty: of the run) in one WEC."""
    selector = session.names.selector(trial=trial) if trial else session.names.selector()
    for resource in (PODS, EVENTS, NODES):
        namespace = session.names.namespace if resource.namespaced else None
        with suppress(NotFound):
            await client.delete_collection(resource, namespace, label_selector=selector)
