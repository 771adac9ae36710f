"""A WDS leaves: what it had delivered and what names it go, nothing of another WDS does."""

from __future__ import annotations

from typing import Any

from fleet.install.objects import Ledger, namespace
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONTROL_PLANES, MANIFEST_WORKS, NAMESPACES, SECRETS, Resource
from fleet.managers.kubestellar import names
from fleet.managers.kubestellar.retire import retire
from fleet.managers.kubestellar.spaces import control_plane, secret, system_namespace
from fleet.testing.api_server.server import FakeApiServer


def space(server: FakeApiServer, name: str, role: str) -> None:
    """What the hub's convergence makes for one."""
    own = system_namespace(name)
    server.store.create(NAMESPACES, namespace(own))
    server.store.create(SECRETS, secret(name, b"kubeconfig"), own)
    server.store.create(CONTROL_PLANES, control_plane(name, role))


def work(wec: str, wds: str) -> dict[str, Any]:
    labels = {names.BINDING_LABEL: "policy", names.WDS_LABEL: wds}
    return {"metadata": {"name": f"policy-{wds}-0", "namespace": wec, "labels": labels}}


def found(server: FakeApiServer, resource: Resource) -> set[str]:
    return {item["metadata"]["name"] for item in server.store.objects(resource)}


def hub_of(server: FakeApiServer) -> None:
    for name, role in (("its1", "its"), ("wds1", "wds"), ("wds2", "wds"), ("wds3", "wds")):
        space(server, name, role)
    for wec in ("wec001", "wec002"):
        for wds in ("wds1", "wds2"):
            server.store.create(MANIFEST_WORKS, work(wec, wds), wec)


async def test_all_of_it_goes_and_nothing_of_another(server: FakeApiServer, hub: KubeClient) -> None:
    hub_of(server)
    ledger = Ledger()
    await retire(hub, ("wds1",), ledger)
    assert set(ledger.change.before) == {"its1 space wds2", "its1 space wds3"}
    assert ledger.change.after == {}
    assert ledger.notes == []
    assert found(server, CONTROL_PLANES) == {"its1", "wds1"}
    assert found(server, MANIFEST_WORKS) == {"policy-wds1-0"}
    assert len(server.store.objects(MANIFEST_WORKS)) == 2
    assert {name for name in found(server, NAMESPACES) if name.endswith("-system")} >= {"its1-system", "wds1-system"}
    assert not found(server, NAMESPACES) & {"wds2-system", "wds3-system"}
    # A second time there is nothing to do.
    again = Ledger()
    await retire(hub, ("wds1",), again)
    assert not again.change.changed


async def test_check_mode_only_says_so(server: FakeApiServer, hub: KubeClient) -> None:
    hub_of(server)
    ledger = Ledger(check=True)
    await retire(hub, ("wds1", "wds3"), ledger)
    assert set(ledger.change.before) == {"its1 space wds2"}
    assert {request.method for request in server.requests} == {"GET"}
    assert found(server, CONTROL_PLANES) == {"its1", "wds1", "wds2", "wds3"}
