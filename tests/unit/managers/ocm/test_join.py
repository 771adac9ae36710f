"""The handshake against a fake hub, with agents that do what OCM's do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from fleet.errors import DeadlineError
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS
from fleet.managers.ocm.admission import pending
from fleet.managers.ocm.join import Join, JoinOptions, look
from fleet.managers.ocm.names import wec_labels
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.managers.conftest import conditions, csr, managed_cluster

STEP = 0.005
"""Seconds between two steps of the actors; nothing here depends on its size."""


@dataclass
class Agents:
    """OCM's agents of several WECs: each registers when started, and joins once accepted and approved."""

    server: FakeApiServer
    dumb: frozenset[str] = frozenset()
    """WECs whose agents ask and then never join."""
    started: list[str] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)
    most: int = 0
    """Largest number of agents that were started and had not joined."""

    async def start(self, wec: str) -> None:
        self.started.append(wec)
        self.most = max(self.most, len(set(self.started) - self.joined))
        if wec not in {c["metadata"]["name"] for c in self.server.store.objects(MANAGED_CLUSTERS)}:
            self.server.store.create(MANAGED_CLUSTERS, managed_cluster(wec))
        self.server.store.create(CSRS, csr(wec))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def _run(self) -> None:
        while True:
            for wec in set(self.started) - self.joined - self.dumb:
                self._answer(wec)
            await asyncio.sleep(STEP)

    def _answer(self, wec: str) -> None:
        store = self.server.store
        accepted = store.get(MANAGED_CLUSTERS, wec)["spec"]["hubAcceptsClient"]
        if accepted and not pending(store.get(CSRS, f"{wec}-abcde")):
            status = conditions("ManagedClusterJoined", "ManagedClusterConditionAvailable")
            store.update(MANAGED_CLUSTERS, wec, None, lambda old: {**old, "status": status})
            self.joined.add(wec)


def joining(hub: KubeClient, agents: Agents, ledger: Ledger, **options: float) -> Join:
    return Join(
        hub,
        start=agents.start,
        credential=agents.joined.__contains__,
        ledger=ledger,
        options=JoinOptions(**({"poll": STEP} | options)),  # type: ignore[arg-type]
        tail=lambda wec: f"log of {wec}",
    )


async def test_wecs_are_accepted_labelled_and_approved_by_name(server: FakeApiServer, hub: KubeClient) -> None:
    agents, ledger = Agents(server), Ledger()
    server.store.create(MANAGED_CLUSTERS, managed_cluster("stranger"))
    server.store.create(CSRS, csr("stranger"))
    async with agents.running():
        took = await joining(hub, agents, ledger).run(["wec001", "wec002"])
    assert took.keys() == {"wec001", "wec002"}
    members = await look(hub)
    assert members["wec001"].complete
    assert members["wec002"].complete
    assert server.store.get(MANAGED_CLUSTERS, "wec002")["metadata"]["labels"] == wec_labels("wec002")
    assert not members["stranger"].accepted
    assert pending(server.store.get(CSRS, "stranger-abcde"))
    assert ledger.change.after == {
        "managedcluster wec001": "accepted",
        "managedcluster wec002": "accepted",
        "certificatesigningrequest of wec001": "approved",
        "certificatesigningrequest of wec002": "approved",
    }


async def test_no_more_than_so_many_at_a_time_in_the_order_given(server: FakeApiServer, hub: KubeClient) -> None:
    agents = Agents(server)
    wecs = [f"wec{number:03d}" for number in range(1, 8)]
    async with agents.running():
        await joining(hub, agents, Ledger(), parallelism=2).run(wecs)
    assert agents.started == wecs
    assert agents.most == 2


async def test_one_that_is_late_is_named_and_stops_no_other(server: FakeApiServer, hub: KubeClient) -> None:
    agents = Agents(server, dumb=frozenset({"wec001"}))
    async with agents.running():
        with pytest.raises(DeadlineError) as caught:
            await joining(hub, agents, Ledger(), parallelism=1, seconds=0.3).run(["wec001", "wec002"])
    text = str(caught.value)
    assert "wec001: still lacks ManagedClusterJoined, ManagedClusterConditionAvailable" in text
    assert "log of wec001" in text
    assert "wec002" not in text
    assert agents.joined == {"wec002"}


async def test_a_request_that_is_not_ours_is_left_and_told(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(MANAGED_CLUSTERS, managed_cluster("wec001"))
    server.store.create(CSRS, csr("wec001", username="mallory"))
    ledger = Ledger()
    join = joining(hub, Agents(server), ledger)
    await join.admit({"wec001"})
    await join.admit({"wec001"})
    assert pending(server.store.get(CSRS, "wec001-abcde"))
    assert ledger.notes == ["certificatesigningrequest wec001-abcde was not approved: requested by mallory"]


async def test_a_member_that_lost_a_label_gets_it_back(server: FakeApiServer, hub: KubeClient) -> None:
    cluster = managed_cluster("wec001", labels={"name": "wec001", "user": "kept"})
    cluster["spec"]["hubAcceptsClient"] = True
    server.store.create(MANAGED_CLUSTERS, cluster)
    agents = Agents(server)
    async with agents.running():
        await joining(hub, agents, Ledger()).run(["wec001"])
    labels = server.store.get(MANAGED_CLUSTERS, "wec001")["metadata"]["labels"]
    assert labels == wec_labels("wec001") | {"user": "kept"}


async def test_nobody_joining_asks_the_hub_nothing(server: FakeApiServer, hub: KubeClient) -> None:
    assert await joining(hub, Agents(server), Ledger()).run([]) == {}
    assert server.requests == []
