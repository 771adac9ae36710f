"""Watches the leases and the conditions of all nodes: how regularly each renews, and which turn not ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from fleet.experiment.session import Session
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.reflector import Reflector, WatchEvent

NAMESPACE = "kube-node-lease"
SYNC_SECONDS = 60.0
MISSED = 1.0
"""A renewal that is overdue at a window's end counts with what it is late so far, if that is more than a second."""


class Heartbeats:
    """Use as `async with`: inside it both watches are synced and stay up. Times are monotonic, at receipt."""

    def __init__(self, session: Session, client: KubeClient) -> None:
        self._recorder = session.recorder
        self._cluster = client.cluster
        self._renewed: dict[str, tuple[str, int]] = {}
        """By node: the newest renewTime, and when it was received."""
        self._ready: dict[str, bool] = {}
        self._gaps: list[float] = []
        self._turned: set[str] = set()
        self._begin_ns = 0
        self._reflectors = [
            Reflector(client, resources.LEASES, self._lease, namespace=NAMESPACE),
            Reflector(client, resources.NODES, self._node),
        ]
        session.reflectors.extend(self._reflectors)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._run(one)) for one in self._reflectors]
        try:
            for one in self._reflectors:
                await one.wait_synced(SYNC_SECONDS)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, reflector: Reflector) -> None:
        try:
            await reflector.run()
        except Exception as error:  # noqa: BLE001 - whatever it was: nobody else would report it
            text = f"the watch of {reflector.resource} ended for good: {error}"
            self._recorder.anomaly("watch-lost", text, cluster=self._cluster)

    def begin(self) -> None:
        """A window begins: what was seen before is forgotten, but when each node last renewed."""
        self._gaps.clear()
        self._turned.clear()
        self._begin_ns = time.monotonic_ns()

    def gaps(self) -> Sequence[float]:
        """Seconds from one renewal to the next, of all nodes in the window, ascending; at its end also of a node that
        is overdue."""
        now = time.monotonic_ns()
        waiting = [(now - ns) / 1e9 for name, (_, ns) in self._renewed.items() if name in self._ready]
        longest = max(self._gaps, default=0.0)
        return sorted([*self._gaps, *(gap for gap in waiting if gap > longest + MISSED)])

    @property
    def turned(self) -> int:
        """Nodes that turned not ready in the window, or are not ready at its end."""
        return len(self._turned | {name for name, ready in self._ready.items() if not ready})

    @property
    def ready(self) -> int:
        """Nodes that are ready now."""
        return sum(self._ready.values())

    def _lease(self, event: WatchEvent) -> None:
        name = str(event.object["metadata"]["name"])
        if event.type == "DELETED":
            self._renewed.pop(name, None)
            return
        renewed = str((event.object.get("spec") or {}).get("renewTime") or "")
        last = self._renewed.get(name)
        if last is not None and last[0] == renewed:
            return
        if last is not None and not event.listed and event.mono_ns >= self._begin_ns:
            self._gaps.append((event.mono_ns - last[1]) / 1e9)
        self._renewed[name] = (renewed, event.mono_ns)

    def _node(self, event: WatchEvent) -> None:
        name = str(event.object["metadata"]["name"])
        if event.type == "DELETED":
            self._ready.pop(name, None)
            return
        now = condition(event.object, "Ready")
        if self._ready.get(name) and not now:
            self._turned.add(name)
        self._ready[name] = now
