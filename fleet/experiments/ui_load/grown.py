"""Brings the WECs to so many pods, and waits until all of them run and nothing changes any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from fleet.errors import DeadlineError
from fleet.experiment.session import Session
from fleet.experiments.ui_load.objects import Maker
from fleet.experiments.ui_load.spec import UiLoad
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.reflector import Reflector, WatchEvent
from fleet.kube.resources import DEPLOYMENTS, EVENTS, PODS

QUIET_SECONDS = 3.0
"""No pod changed for so long: all that was made has settled."""
LOOK_SECONDS = 0.2
SYNC_SECONDS = 60.0


@dataclass
class Grown:
    """What was made so far."""

    session: Session
    clusters: Sequence[str]
    nodes: Mapping[str, Sequence[str]]
    """Of each WEC, where pods that are placed go in turn."""
    objects: int = 0

    async def to(self, objects: int) -> None:
        """DeadlineError with the number that runs when the time is up."""
        async with _Running(self.session, self.clusters) as running:

            async def one(number: int) -> None:
                await self._one(number)
                self.session.progress.marks(len(running.names), objects)

            await each(range(self.objects, objects), one, at_once=self._spec.writers)
            self.objects = max(objects, self.objects)
            await running.settled(self.objects)

    async def events(self, count: int) -> None:
        """The Events that there are from the begin."""
        maker = self._maker
        client_of = self._client
        await each(
            range(count),
            lambda number: client_of(number).create(EVENTS, maker.event(f"ui-event-{number:06d}"), retry=True),
            at_once=self._spec.writers,
        )

    async def _one(self, number: int) -> None:
        name, client = f"ui-{number:06d}", self._client(number)
        if self._spec.by == "deployment":
            await client.create(DEPLOYMENTS, self._maker.deployment(name), retry=True)
            return
        await client.create(PODS, self._maker.pod(name, self._node(number)), retry=True)

    def _node(self, number: int) -> str:
        """Empty: the scheduler finds it."""
        if self._spec.by != "placed":
            return ""
        nodes = self.nodes[self._cluster(number)]
        return nodes[number // len(self.clusters) % len(nodes)]

    def _client(self, number: int) -> KubeClient:
        return self.session.spaces.wecs[self._cluster(number)]

    def _cluster(self, number: int) -> str:
        return self.clusters[number % len(self.clusters)]

    @property
    def _maker(self) -> Maker:
        return Maker(self.session.names.namespace, self.session.names.labels())

    @property
    def _spec(self) -> UiLoad:
        spec: UiLoad = self.session.spec
        return spec


@dataclass
class _Running:
    """Counts pods that run, by watches that write nothing down."""

    session: Session
    clusters: Sequence[str]
    names: set[tuple[str, str]] = field(default_factory=set)
    changed: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> _Running:
        spaces, names = self.session.spaces, self.session.names
        watches = [
            Reflector(
                spaces.wecs[name], PODS, partial(self._event, name), namespace=names.namespace,
                label_selector=names.selector(),
            )
            for name in self.clusters
        ]  # fmt: skip
        self.tasks = [asyncio.create_task(watch.run()) for watch in watches]
        try:
            await asyncio.gather(*(watch.wait_synced(SYNC_SECONDS) for watch in watches))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def settled(self, objects: int) -> None:
        end = time.monotonic() + self.session.spec.timeouts.object
        while len(self.names) < objects or time.monotonic() - self.changed < QUIET_SECONDS:
            self.session.progress.marks(len(self.names), objects)
            if time.monotonic() > end:
                raise DeadlineError(
                    f"{len(self.names)} of {objects} pods ran within {self.session.spec.timeouts.object:.0f} s:"
                    " raise timeouts.object, or the client limit of the controllers"
                )
            for task in self.tasks:
                if task.done():
                    await task
            await asyncio.sleep(LOOK_SECONDS)

    def _event(self, cluster: str, event: WatchEvent) -> None:
        self.changed = time.monotonic()
        key = (cluster, event.object["metadata"]["name"])
        if event.type != "DELETED" and (event.object.get("status") or {}).get("phase") == "Running":
            self.names.add(key)
        else:
            self.names.discard(key)
