"""A WEC leaves: works, cluster, namespace and requests go, nothing of another cluster and no policy does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS, MANIFEST_WORKS, NAMESPACES, ROLE_BINDINGS, Resource
from fleet.managers.ocm import names
from fleet.managers.ocm.leave import Leave, LeaveOptions
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.managers.conftest import csr, managed_cluster

STEP = 0.005
WORKS = "manager.example.io/policy"
OPTIONS = LeaveOptions(works=WORKS, works_seconds=30, cluster_seconds=30, dead_seconds=0.05, poll=STEP)
OCM = "cluster.open-cluster-management.io"


def work(wec: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": MANIFEST_WORKS.api_version,
        "kind": MANIFEST_WORKS.kind,
        "metadata": {
            "name": name,
            "namespace": wec,
            "labels": {WORKS: "bp"},
            "finalizers": [names.WORK_FINALIZER],
        },
    }


def register(server: FakeApiServer, *wecs: str) -> None:
    """Members with two works of KubeStellar each."""
    for wec in wecs:
        server.store.create(NAMESPACES, {"metadata": {"name": wec}})
        labels = names.wec_labels(wec) | {"zone": "a", f"{OCM}/clusterset": "default"}
        cluster = managed_cluster(wec, labels=labels, finalizers=sorted(names.CLUSTER_FINALIZERS))
        server.store.create(MANAGED_CLUSTERS, cluster)
        server.store.create(CSRS, csr(wec))
        for name in ("bp-1", "bp-2"):
            server.store.create(MANIFEST_WORKS, work(wec, name), wec)


@dataclass
class Others:
    """KubeStellar, OCM's agents and its registration controller, over the fake hub."""

    server: FakeApiServer
    dead: frozenset[str] = frozenset()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def _run(self) -> None:
        while True:
            for cluster in self.server.store.objects(MANAGED_CLUSTERS):
                self._kubestellar(cluster)
                self._ocm(cluster)
            await asyncio.sleep(STEP)

    def _kubestellar(self, cluster: dict[str, Any]) -> None:
        """Takes back the works of a cluster that its policy no longer selects."""
        if "location-group" not in cluster["metadata"].get("labels", {}):
            for item in self.server.store.objects(MANIFEST_WORKS, cluster["metadata"]["name"]):
                self._delete(MANIFEST_WORKS, item)

    def _ocm(self, cluster: dict[str, Any]) -> None:
        """The agent lets deleted works go; the controller a deleted cluster without works."""
        wec = cluster["metadata"]["name"]
        works = self.server.store.objects(MANIFEST_WORKS, wec)
        for item in works:
            if item["metadata"].get("deletionTimestamp") and wec not in self.dead:
                self._free(MANIFEST_WORKS, item)
        if cluster["metadata"].get("deletionTimestamp") and not works:
            self._free(MANAGED_CLUSTERS, cluster)

    def _delete(self, resource: Resource, item: dict[str, Any]) -> None:
        if not item["metadata"].get("deletionTimestamp"):
            self.server.store.delete(resource, item["metadata"]["name"], item["metadata"].get("namespace"))

    def _free(self, resource: Resource, item: dict[str, Any]) -> None:
        metadata = {key: value for key, value in item["metadata"].items() if key != "finalizers"}
        self.server.store.update(
            resource, metadata["name"], metadata.get("namespace"), lambda old: {**old, "metadata": metadata}
        )


async def leave(hub: KubeClient, others: Others, ledger: Ledger, *wecs: str) -> None:
    async def reachable(wec: str) -> bool:
        return wec not in others.dead

    async with others.running():
        await Leave(hub, reachable=reachable, ledger=ledger, options=OPTIONS).run(wecs)


def left(server: FakeApiServer, resource: Resource, namespace: str | None = None) -> list[str]:
    return sorted(item["metadata"]["name"] for item in server.store.objects(resource, namespace))


async def test_a_wec_leaves_and_the_others_stay(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001", "wec002", "wec003")
    before = server.store.get(MANAGED_CLUSTERS, "wec001")
    ledger = Ledger()
    await leave(hub, Others(server), ledger, "wec002", "wec003")
    assert left(server, MANAGED_CLUSTERS) == ["wec001"]
    assert left(server, NAMESPACES) == ["default", "kube-system", "wec001"]
    assert left(server, CSRS) == ["wec001-abcde"]
    assert len(server.store.objects(MANIFEST_WORKS)) == 2
    assert server.store.get(MANAGED_CLUSTERS, "wec001") == before
    assert ledger.change.before == {"managedcluster wec002": "registered", "managedcluster wec003": "registered"}
    assert ledger.notes == []


async def test_it_stops_matching_before_it_is_deleted(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    await leave(hub, Others(server), Ledger(), "wec001")
    writes = [(seen.method, seen.path) for seen in server.requests if seen.method in ("PATCH", "DELETE")]
    path = MANAGED_CLUSTERS.path("wec001")
    assert writes[0] == ("PATCH", path)
    assert writes[1] == ("DELETE", path)


async def test_a_dead_wec_leaves_too_and_that_is_said(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001", "wec002")
    binding = {"metadata": {"name": "work", "namespace": "wec001", "finalizers": [names.ROLE_FINALIZER]}}
    server.store.create(ROLE_BINDINGS, binding, "wec001")
    server.store.delete(ROLE_BINDINGS, "work", "wec001")
    ledger = Ledger()
    await leave(hub, Others(server, dead=frozenset({"wec001"})), ledger, "wec001")
    assert left(server, MANAGED_CLUSTERS) == ["wec002"]
    assert left(server, MANIFEST_WORKS, "wec001") == []
    assert left(server, ROLE_BINDINGS, "wec001") == []
    assert len(ledger.notes) == 1
    assert ledger.notes[0].startswith("wec001: its API server does not answer: ")
    assert "(2 ManifestWorks)" in ledger.notes[0]


async def test_a_finalizer_of_somebody_else_is_left_alone(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    cluster = server.store.get(MANAGED_CLUSTERS, "wec001")
    metadata = {**cluster["metadata"], "finalizers": ["user/keep"]}
    server.store.update(MANAGED_CLUSTERS, "wec001", None, lambda old: {**old, "metadata": metadata})

    async def unreachable(_: str) -> bool:
        return False

    options = LeaveOptions(works_seconds=0.02, cluster_seconds=0.02, dead_seconds=0.02, poll=STEP)
    ledger = Ledger()
    await Leave(hub, reachable=unreachable, ledger=ledger, options=options).run(["wec001"])
    assert "somebody else's finalizer" in ledger.notes[-1]
    assert server.store.get(MANAGED_CLUSTERS, "wec001")["metadata"]["finalizers"] == ["user/keep"]


async def test_one_that_was_never_there_is_fine(server: FakeApiServer, hub: KubeClient) -> None:
    ledger = Ledger()
    await leave(hub, Others(server), ledger, "wec001")
    assert not ledger.change.changed
