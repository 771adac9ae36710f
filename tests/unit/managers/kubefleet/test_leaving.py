"""WECs leave a KubeFleet hub, and what was delivered is taken off them."""

from __future__ import annotations

import pytest

from fleet.errors import KubeError
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.resources import APPLIED_WORKS, CRDS, DEPLOYMENTS, FLEET_WORKS, MEMBER_CLUSTERS, NAMESPACES
from fleet.managers.kubefleet import leaving, names
from fleet.managers.kubefleet.members import registrations, word
from fleet.testing.api_server.server import FakeApiServer


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "POLL_SECONDS", 0.01)


def register(server: FakeApiServer, *wecs: str) -> None:
    """Members with a Work each."""
    for wec in wecs:
        member = {"metadata": {"name": wec, "finalizers": [names.MEMBER_FINALIZER]}, "spec": {}}
        server.store.create(MEMBER_CLUSTERS, member)
        server.store.create(NAMESPACES, {"metadata": {"name": names.space(wec)}})
        work = {"metadata": {"name": "w", "finalizers": [names.WORK_FINALIZER]}, "spec": {}}
        server.store.create(FLEET_WORKS, work, names.space(wec))


def left(server: FakeApiServer) -> list[str]:
    kinds = (MEMBER_CLUSTERS, FLEET_WORKS, NAMESPACES)
    found = [f"{kind.kind} {one['metadata']['name']}" for kind in kinds for one in server.store.objects(kind)]
    return [name for name in found if "default" not in name and "kube" not in name]


async def test_what_nobody_finishes_is_forced_and_told_and_others_stay(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001", "wec002")
    ledger = Ledger()
    await leaving.let_go(hub, ["wec001"], ledger, seconds=0.1)
    assert ledger.notes == ["wec001: KubeFleet did not finish in time: its finalizers were taken off"]
    assert left(server) == ["MemberCluster wec002", "Work w", "Namespace fleet-member-wec002"]


async def test_a_finalizer_of_somebody_else_is_not_taken_off(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(MEMBER_CLUSTERS, {"metadata": {"name": "wec001", "finalizers": ["example.io/mine"]}})
    with pytest.raises(KubeError, match="1 MemberClusters and namespaces of WECs that leave are still there"):
        await leaving.let_go(hub, ["wec001"], Ledger(), seconds=0.1)


async def test_a_wec_is_cleared_of_what_was_delivered_and_of_its_crd(server: FakeApiServer, hub: KubeClient) -> None:
    await leaving.clear(hub, Ledger())  # nothing exists: fine
    server.store.create(CRDS, {"metadata": {"name": leaving.APPLIED_CRD}, "spec": crd()})
    server.store.create(APPLIED_WORKS, {"metadata": {"name": "w"}, "spec": {"workName": "w"}})
    checked = Ledger(check=True)
    await leaving.clear(hub, checked)
    assert checked.before == {f"its1 {leaving.APPLIED_CRD}": "present"}
    assert len(server.store.objects(APPLIED_WORKS)) == 1
    await leaving.clear(hub, Ledger())
    assert server.store.objects(CRDS) == server.store.objects(DEPLOYMENTS) == []
    deleted = [seen for seen in server.requests if seen.method == "DELETE" and "appliedworks/w" in seen.path]
    assert len(deleted) == 1


def crd() -> dict[str, object]:
    return {
        "group": APPLIED_WORKS.group,
        "names": {"plural": APPLIED_WORKS.plural, "kind": APPLIED_WORKS.kind},
        "scope": "Cluster",
        "versions": [{"name": APPLIED_WORKS.version, "served": True, "storage": True}],
    }


@pytest.mark.parametrize(
    ("joined", "healthy", "said"), [(False, False, "Pending"), (True, False, "Unhealthy"), (True, True, "Joined")]
)
def test_one_word_of_a_member(joined: bool, healthy: bool, said: str) -> None:
    def condition(kind: str, *, holds: bool) -> dict[str, str]:
        return {"type": kind, "status": "True" if holds else "False"}

    agent = {"type": "MemberAgent", "conditions": [condition("Healthy", holds=healthy)]}
    status = {"conditions": [condition("Joined", holds=joined)], "agentStatus": [agent]}
    assert word({"metadata": {}, "status": status}) == said
    assert word({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}) == "Leaving"


async def test_registrations_name_what_is_absent(server: FakeApiServer, hub: KubeClient) -> None:
    register(server, "wec001")
    found = await registrations(hub, ["wec001", "wec002"])
    assert {wec: (one.word, one.problem) for wec, one in found.items()} == {
        "wec001": ("Pending", "its agent has not joined"),
        "wec002": ("Absent", "has no MemberCluster in its1"),
    }
