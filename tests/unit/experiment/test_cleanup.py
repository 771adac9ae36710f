"""A clean-up that meets trouble goes on with the rest, and says what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.experiment.cleanup import remove
from fleet.kube.resources import CONFIGMAPS, NAMESPACES
from fleet.managers.manager import Spaces
from fleet.managers.none.manager import MANAGER
from fleet.testing.api_server.server import FakeApiServer
from fleet.testing.api_server.store import Refusal

RUN = "20260101T000000Z-killed00"
LABELS = {"fleet-testbed/run": RUN}


@pytest.fixture
async def wecs() -> AsyncIterator[tuple[FakeApiServer, FakeApiServer]]:
    async with FakeApiServer("wec001") as one, FakeApiServer("wec002") as other:
        for server in (one, other):
            server.store.create(NAMESPACES, {"metadata": {"name": "fleet-run-killed00", "labels": LABELS}})
            for name in ("a", "b", "c"):
                metadata = {"name": name, "namespace": "fleet-run-killed00", "labels": LABELS}
                server.store.create(CONFIGMAPS, {"metadata": metadata}, "fleet-run-killed00")
        yield one, other


def ours(server: FakeApiServer) -> list[str]:
    """Namespaces of runs that are there."""
    names = [item["metadata"]["name"] for item in server.store.objects(NAMESPACES)]
    return [name for name in names if name.startswith("fleet-run-")]


def stubborn(server: FakeApiServer, refused: str) -> None:
    """The server answers 409 to the deletion of that object."""
    original = server.store.delete

    def delete(resource: Any, name: str, *rest: Any, **more: Any) -> Any:
        if name == refused:
            raise Refusal(409, "Conflict", "somebody holds it")
        return original(resource, name, *rest, **more)

    server.store.delete = delete  # type: ignore[method-assign]


async def test_one_object_that_cannot_be_deleted_does_not_keep_the_others(
    wecs: tuple[FakeApiServer, FakeApiServer],
) -> None:
    one, other = wecs
    stubborn(one, "b")
    async with one.client() as first, other.client() as second:
        clients = {"wec001": first, "wec002": second}
        report = await remove(Spaces(clients, {}, clients), MANAGER, RUN, timeout=5)

    assert ("wec001", "configmaps", 2) in report.removed
    assert ("wec002", "configmaps", 3) in report.removed
    assert [said for said in report.left if said.startswith("wec001: 1 of 3 configmaps could not be deleted: ")]
    assert [ours(server) for server in wecs] == [[], []]


async def test_a_cluster_that_is_away_is_named_once_and_the_others_are_cleaned(
    wecs: tuple[FakeApiServer, FakeApiServer],
) -> None:
    one, other = wecs
    async with one.client(retry_seconds=0.0) as first, other.client() as second:
        clients = {"wec001": first, "wec002": second}
        await one.stop()
        report = await remove(Spaces(clients, {}, clients), MANAGER, RUN, timeout=5)
        await one.start()

    assert other.store.objects(CONFIGMAPS) == ours(other) == []
    assert report.left
    assert all(said.startswith("wec001") for said in report.left)
