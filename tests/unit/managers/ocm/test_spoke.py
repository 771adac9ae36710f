"""What OCM leaves in a WEC whose manager goes."""

from __future__ import annotations

from fleet.install.objects import Ledger, namespace
from fleet.kube.resources import APPLIED_MANIFEST_WORKS, CRDS, NAMESPACES
from fleet.managers.ocm import names, spoke
from fleet.testing.api_server.server import FakeApiServer

OTHER = "widgets.example.io"


def held(server: FakeApiServer) -> None:
    """A WEC with what `prepare` made, a work that no agent took down, and things of somebody else."""
    for crd in (*spoke.AGENT_CRDS, OTHER):
        server.store.create(CRDS, {"metadata": {"name": crd}})
    server.store.create(NAMESPACES, namespace(names.AGENT_NAMESPACE))
    finalizers = [names.APPLIED_FINALIZER]
    server.store.create(APPLIED_MANIFEST_WORKS, {"metadata": {"name": "w", "finalizers": finalizers}, "spec": {}})


def found(server: FakeApiServer) -> set[str]:
    return {item["metadata"]["name"] for resource in (CRDS, NAMESPACES) for item in server.store.objects(resource)}


async def test_crds_and_namespace_go_and_nothing_else() -> None:
    async with FakeApiServer("wec001") as server, server.client(retry_seconds=0) as wec:
        held(server)
        before, ledger = found(server), Ledger()
        await spoke.clear(wec, ledger)
        assert before - found(server) == {*spoke.AGENT_CRDS, names.AGENT_NAMESPACE}
        assert set(ledger.change.before) == {f"wec001 {name}" for name in (*spoke.AGENT_CRDS, names.AGENT_NAMESPACE)}
        assert ledger.notes == ["wec001: 1 works were left by their agents: what they applied stays"]
        again = Ledger()
        await spoke.clear(wec, again)
        assert not again.change.changed


async def test_check_mode_only_says_so() -> None:
    async with FakeApiServer("wec001") as server, server.client(retry_seconds=0) as wec:
        held(server)
        before = found(server)
        ledger = Ledger(check=True)
        await spoke.clear(wec, ledger)
        assert ledger.change.changed
        assert found(server) == before
