"""Objects are created, patched or left alone, and the ledger says which."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.install.objects import Ledger, contains, drop_finalizers, ensure, remove
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONFIGMAPS, CONTROL_PLANES, MANAGED_CLUSTERS
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.managers.conftest import managed_cluster


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}, "data": data}


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": [1, 2], "c": 3}}, {"a": {"b": [1, 2]}}),
        ({"a": [{"x": 1, "added": 2}]}, {"a": [{"x": 1}]}),
        ({}, {"a": {}, "b": [], "c": None}),
        ({"a": "x"}, {"a": None}),
    ],
)
def test_contains(live: object, wanted: object) -> None:
    assert contains(live, wanted)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 1}, {"a": 2}),
        ({}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": [2, 1]}, {"a": [1, 2]}),
        ({"a": "x"}, {"a": {"b": 1}}),
        ({"a": "x"}, {"a": ["x"]}),
        (None, {"a": 1}),
    ],
)
def test_does_not_contain(live: object, wanted: object) -> None:
    assert not contains(live, wanted)


async def test_an_object_is_created_once_and_then_left_alone(server: FakeApiServer, hub: KubeClient) -> None:
    first, second = Ledger(), Ledger()
    assert await ensure(hub, CONFIGMAPS, config_map(x="1"), first)
    assert first.change.after == {"its1 configmaps n/a": "present"}
    assert not await ensure(hub, CONFIGMAPS, config_map(x="1"), second)
    assert not second.change.changed
    assert [seen.method for seen in server.requests] == ["GET", "POST", "GET"]


async def test_an_object_that_differs_is_patched_and_keeps_what_others_wrote(
    server: FakeApiServer, hub: KubeClient
) -> None:
    server.store.create(CONFIGMAPS, config_map(x="old", theirs="kept"), "n")
    ledger = Ledger()
    assert await ensure(hub, CONFIGMAPS, config_map(x="new"), ledger)
    assert server.store.get(CONFIGMAPS, "a", "n")["data"] == {"x": "new", "theirs": "kept"}
    assert ledger.change.before == {"its1 configmaps n/a": "differs"}


async def test_check_mode_writes_nothing(server: FakeApiServer, hub: KubeClient) -> None:
    ledger = Ledger(check=True)
    assert await ensure(hub, CONFIGMAPS, config_map(x="1"), ledger)
    server.store.create(CONFIGMAPS, config_map(x="0"), "n")
    assert await ensure(hub, CONFIGMAPS, config_map(x="1"), ledger)
    assert {seen.method for seen in server.requests} == {"GET"}
    assert ledger.change.changed


async def test_the_status_is_written_on_its_own(server: FakeApiServer, hub: KubeClient) -> None:
    manifest = {"metadata": {"name": "wds1"}, "spec": {"type": "external"}, "status": {"observedGeneration": 1}}
    assert await ensure(hub, CONTROL_PLANES, manifest, Ledger(), status=True)
    assert server.store.get(CONTROL_PLANES, "wds1")["status"] == {"observedGeneration": 1}
    assert not await ensure(hub, CONTROL_PLANES, manifest, Ledger(), status=True)


async def test_only_the_finalizers_that_are_named_come_off(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(MANAGED_CLUSTERS, managed_cluster("wec001", finalizers=["ocm/a", "user/b"]))
    assert await drop_finalizers(hub, MANAGED_CLUSTERS, "wec001", None, frozenset({"ocm/a"})) == ["ocm/a"]
    assert server.store.get(MANAGED_CLUSTERS, "wec001")["metadata"]["finalizers"] == ["user/b"]
    assert await drop_finalizers(hub, MANAGED_CLUSTERS, "wec001", None, frozenset({"ocm/a"})) == []
    assert await drop_finalizers(hub, MANAGED_CLUSTERS, "absent", None, frozenset({"ocm/a"})) == []


async def test_removing_what_is_absent_is_no_change(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(MANAGED_CLUSTERS, managed_cluster("wec001"))
    assert await remove(hub, MANAGED_CLUSTERS, "wec001")
    assert not await remove(hub, MANAGED_CLUSTERS, "wec001")
