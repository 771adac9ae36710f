"""All watches of a run: its sources, transports and every chosen WEC, synced before the load begins."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.reflector import Reflector, WatchEvent
from fleet.kube.resources import Resource
from fleet.managers.manager import Hop, Spaces
from fleet.model.manager_record import Space
from fleet.observe.extract import Extractor, Receipt
from fleet.observe.gaps import Gaps
from fleet.observe.outages import Outages
from fleet.observe.recorder import Recorder


class Watcher:
    """Use as `async with`: inside it every watch is synced and stays up, whatever happens to a cluster.

    `hops` are the manager's, watched in the clusters of their space, one watch per cluster and resource; `kinds` are
    those of the workload, watched by label in every WEC and, unless sources hold them `wrapped`, at every source.

    Raises DeadlineError when a watch could not be listed within `sync_seconds`.
    """

    def __init__(
        self,
        spaces: Spaces,
        kinds: Sequence[Resource],
        hops: Sequence[Hop],
        recorder: Recorder,
        *,
        selector: str,
        wrapped: bool = False,
        sync_seconds: float = 60.0,
    ) -> None:
        self._recorder = recorder
        self._gaps = Gaps(recorder)
        self._sync_seconds = sync_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._clients = {client.cluster: client for client in spaces.all()}
        read: defaultdict[tuple[str, Resource], list[Hop]] = defaultdict(list)
        for hop in hops:
            for client in _watched(spaces, hop.row.space):
                read[client.cluster, hop.resource].append(hop)
        self._extract = Extractor(read)
        objects = spaces.workload(wrapped=wrapped)
        selected = {(client.cluster, kind): selector for client in objects for kind in kinds}
        self.reflectors = [
            self._reflector(self._clients[cluster], resource, selected.get((cluster, resource)))
            for cluster, resource in dict.fromkeys((*read, *selected))
        ]

    async def __aenter__(self) -> Watcher:
        """Start all watches and wait until each has delivered its first list."""
        self._tasks = [asyncio.create_task(self._run(reflector)) for reflector in self.reflectors]
        try:
            async with asyncio.TaskGroup() as group:
                for reflector in self.reflectors:
                    group.create_task(reflector.wait_synced(self._sync_seconds))
        except BaseException as error:
            await self._stop()
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from error
            raise
        self._tasks.append(asyncio.create_task(Outages(self.reflectors, self._clients, self._recorder).look()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all watches."""
        await self._stop()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _reflector(self, client: KubeClient, resource: Resource, selector: str | None = None) -> Reflector:
        return Reflector(
            client,
            resource,
            self._event,
            on_gap=self._gaps.gap,
            on_reconnect=self._gaps.reconnect,
            label_selector=selector,
        )

    async def _run(self, reflector: Reflector) -> None:
        """One watch for the length of the run; when it fails for good, that is reported and the run goes on without
        it."""
        try:
            await reflector.run()
        except Exception as error:  # noqa: BLE001 - whatever it was: nobody else would report it
            what = str(error) if isinstance(error, FleetError) else f"{type(error).__name__}: {error}"
            self._recorder.anomaly(
                "watch-lost", f"the watch of {reflector.resource} ended for good: {what}", cluster=reflector.cluster
            )

    def _event(self, event: WatchEvent) -> None:
        receipt = Receipt(event.cluster, event.type, event.mono_ns, event.wall_ns, event.listed, event.gap)
        for line in self._extract.lines(event.resource, receipt, event.object):
            self._recorder.record(line)


def _watched(spaces: Spaces, space: Space) -> tuple[KubeClient, ...]:
    clients = {"source": spaces.sources, "transport": spaces.transports, "wec": spaces.wecs}
    return tuple(clients[space].values())
