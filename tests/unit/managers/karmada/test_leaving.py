"""WECs leave a Karmada hub: what Karmada takes back itself, what is forced, and what is reported of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from fleet.errors import KubeError
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.resources import KARMADA_CLUSTERS, KARMADA_WORKS, NAMESPACES, SECRETS
from fleet.managers.karmada import leaving, names
from fleet.managers.karmada.members import registrations, word
from fleet.testing.api_server.server import FakeApiServer

WORK = {"metadata": {"name": "w", "finalizers": [names.WORK_FINALIZER]}, "spec": {"workload": {"manifests": []}}}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "POLL_SECONDS", 0.01)


def register(server: FakeApiServer, *wecs: str) -> None:
    """Members with a Work each, and a Secret as in push mode."""
    for wec in wecs:
        metadata = {"name": wec, "finalizers": [names.CLUSTER_FINALIZER]}
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        server.store.create(KARMADA_CLUSTERS, {"metadata": metadata, "spec": {"id": wec}, "status": ready})
        server.store.create(NAMESPACES, {"metadata": {"name": names.space(wec)}})
        server.store.create(KARMADA_WORKS, WORK, names.space(wec))
        secret = {"metadata": {"name": wec, "namespace": names.CLUSTER_NAMESPACE}}
        server.store.create(SECRETS, secret, names.CLUSTER_NAMESPACE)


@contextlib.asynccontextmanager
async def karmada(server: FakeApiServer) -> AsyncIterator[None]:
    """Its controllers, for Clusters that are being deleted."""

    async def run() -> None:
        store = server.store
        while True:
            await asyncio.sleep(0.005)
            for cluster in store.objects(KARMADA_CLUSTERS):
                wec = cluster["metadata"]["name"]
                if not cluster["metadata"].get("deletionTimestamp"):
                    continue
                for work in store.objects(KARMADA_WORKS, names.space(wec)):
                    store.update(KARMADA_WORKS, work["metadata"]["name"], names.space(wec), unheld)
                    store.delete(KARMADA_WORKS, work["metadata"]["name"], names.space(wec))
                if names.space(wec) in {one["metadata"]["name"] for one in store.objects(NAMESPACES)}:
                    store.delete(NAMESPACES, names.space(wec))
                store.update(KARMADA_CLUSTERS, wec, None, unheld)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def unheld(old: dict[str, object]) -> dict[str, object]:
    """Without finalizers."""
    metadata = old["metadata"]
    assert isinstance(metadata, dict)
    return {**old, "metadata": {**metadata, "finalizers": []}}


def left(server: FakeApiServer) -> list[str]:
    kinds = (KARMADA_CLUSTERS, KARMADA_WORKS, SECRETS)
    found = [f"{kind} {one['metadata']['name']}" for kind in kinds for one in server.store.objects(kind)]
    spaces = [one["metadata"]["name"] for one in server.store.objects(NAMESPACES)]
    return sorted(found + [name for name in spaces if name.startswith(names.SPACE_PREFIX)])


async def test_karmada_takes_back_what_it_delivered_and_others_stay(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001", "wec002", "wec003")
    ledger = Ledger()
    async with karmada(server):
        await leaving.let_go(hub, ["wec001", "wec003"], ledger, seconds=20)
    assert ledger.notes == []
    assert left(server) == [
        "clusters.cluster.karmada.io wec002", "karmada-es-wec002", "secrets wec002", "works.work.karmada.io w",
    ]  # fmt: skip


async def test_what_nobody_finishes_is_forced_and_told(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    ledger = Ledger()
    await leaving.let_go(hub, ["wec001"], ledger, seconds=0.1)
    assert left(server) == []
    (note,) = ledger.notes
    assert note.startswith("wec001: Karmada did not finish in time: its finalizers were taken off (1 Works)")


async def test_a_finalizer_of_somebody_else_is_not_taken_off(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    server.store.update(
        KARMADA_CLUSTERS,
        "wec001",
        None,
        lambda old: {**old, "metadata": {**old["metadata"], "finalizers": ["example.io/mine"]}},
    )
    with pytest.raises(KubeError, match="1 Clusters and Works of WECs that leave are still there"):
        await leaving.let_go(hub, ["wec001"], Ledger(), seconds=0.1)


async def test_who_left_already_is_fine(server: FakeApiServer, hub: KubeClient) -> None:  # noqa: ARG001
    await leaving.let_go(hub, ["wec001"], Ledger(), seconds=0.1)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [([], "Joined"), (["False"], "NotReady"), (["Unknown"], "Unknown"), (["True"], "Ready")],
)
def test_one_word_of_a_cluster(conditions: list[str], said: str) -> None:
    found = [{"type": "Ready", "status": status} for status in conditions]
    assert word({"metadata": {}, "status": {"conditions": found}}) == said
    assert word({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}) == "Leaving"


async def test_registrations_name_what_is_absent(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    found = await registrations(hub, ["wec001", "wec002"])
    assert {wec: (one.word, one.problem) for wec, one in found.items()} == {
        "wec001": ("Ready", ""), "wec002": ("Absent", "has no Cluster in its1"),
    }  # fmt: skip
