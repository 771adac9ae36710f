"""Watches that only read: what the load of many watchers adds. They count lines and do not parse them."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from fleet.errors import KubeError
from fleet.kube import resources
from fleet.kube.client import KubeClient

IDLE_SECONDS = 600.0
PAUSE_SECONDS = 1.0


class Watchers:
    """So many of the pods of one cluster; use as `async with`."""

    def __init__(self, client: KubeClient, namespace: str, count: int) -> None:
        self.lines = 0
        """Lines that all of them received together."""
        self.ended = 0
        """Watches that ended by themselves and were opened again."""
        self._client = client
        self._path = resources.PODS.path(namespace=namespace)
        self._count = count
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._watch()) for _ in range(self._count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """From the newest version on, again and again."""
        while True:
            try:
                async with self._client.stream(self._path, {"watch": "1"}, idle_seconds=IDLE_SECONDS) as stream:
                    while chunk := await stream.read():
                        self.lines += chunk.count(b"\n")
            except KubeError:
                self.ended += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.ended += 1
