"""Objects that a scheduler needs are placed for a trial, also where a finalizer keeps those of the trial before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.errors import DeadlineError
from fleet.experiments.scheduler_throughput.nodes import placed
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONFIGMAPS
from fleet.model.run_names import RunNames
from fleet.testing.api_server.server import FakeApiServer

NAMES = RunNames("20261122T170000Z-0a1b2c3d")
QUEUE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}}


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as running:
        yield running


@pytest.fixture
async def client(server: FakeApiServer) -> AsyncIterator[KubeClient]:
    async with server.client() as opened:
        yield opened


async def there(client: KubeClient) -> list[dict[str, Any]]:
    return [*await client.list_all(CONFIGMAPS)]


async def kept(client: KubeClient) -> None:
    """One of the trial before, deleted but for its finalizer."""
    metadata = {"name": "any", "namespace": NAMES.namespace, "finalizers": ["example.com/in-use"]}
    await client.create(CONFIGMAPS, {**QUEUE, "metadata": metadata}, NAMES.namespace)
    await client.delete(CONFIGMAPS, "any", NAMES.namespace)
    (one,) = await there(client)
    assert "deletionTimestamp" in one["metadata"]


async def test_they_are_there_inside_and_gone_after(client: KubeClient) -> None:
    async with placed(client, [QUEUE], NAMES, 5):
        (one,) = await there(client)
        assert one["metadata"]["labels"].items() >= NAMES.labels().items()
    assert await there(client) == []


async def test_one_that_is_being_deleted_is_waited_for(client: KubeClient, server: FakeApiServer) -> None:
    await kept(client)

    async def place() -> int:
        async with placed(client, [QUEUE], NAMES, 5):
            return len(await there(client))

    placing = asyncio.create_task(place())
    await server.until_watches(1)
    await client.patch(CONFIGMAPS, "any", {"metadata": {"finalizers": None}}, NAMES.namespace)
    assert await placing == 1


async def test_one_that_stays_is_named(client: KubeClient) -> None:
    await kept(client)
    with pytest.raises(
        DeadlineError, match=r"configmaps any of the trial before is still being deleted.* raise timeouts.clean"
    ):
        async with placed(client, [QUEUE], NAMES, 0.2):
            pass
