"""A fake server with a client, and a reflector that records what it delivers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fleet.kube.client import KubeClient
from fleet.kube.reflector import Gap, Reflector, WatchEvent
from fleet.kube.resources import CONFIGMAPS, Resource
from fleet.testing.api_server.server import FakeApiServer

FAST = (0.005, 0.05)
"""Pauses of a reflector under test, in seconds."""


class Recorder:
    """A running reflector and everything it delivered."""

    def __init__(self, client: KubeClient, resource: Resource = CONFIGMAPS, **options: Any) -> None:
        self.events: list[WatchEvent] = []
        self.gaps: list[Gap] = []
        self.reconnects: list[Gap] = []
        self.changed = asyncio.Event()
        options = {"pauses": FAST, **options}
        self.reflector = Reflector(
            client, resource, self._event, on_gap=self._gap, on_reconnect=self._reconnect, **options
        )
        self.task: asyncio.Task[None] | None = None

    def _event(self, event: WatchEvent) -> None:
        self.events.append(event)
        self.changed.set()

    def _gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self.changed.set()

    def _reconnect(self, gap: Gap) -> None:
        self.reconnects.append(gap)
        self.changed.set()

    async def __aenter__(self) -> Recorder:
        self.task = asyncio.create_task(self.reflector.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Waits until the condition holds; looked at when something was delivered, and at least every 5 ms."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.005)

    def told(self) -> list[tuple[str, str, bool, bool]]:
        """(type, name, listed, gap) in order."""
        return [(e.type, e.object["metadata"]["name"], e.listed, e.gap) for e in self.events]


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as running:
        yield running


@pytest.fixture
async def client(server: FakeApiServer) -> AsyncIterator[KubeClient]:
    async with server.client(retry_seconds=2.0) as opened:
        yield opened


def config_map(name: str, value: str = "1", **metadata: Any) -> dict[str, Any]:
    """A ConfigMap of the default namespace."""
    return {"metadata": {"name": name, "namespace": "default", **metadata}, "data": {"value": value}}
