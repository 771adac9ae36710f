"""`fleet status` against fake API servers and a real supervisor with real programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.status_collect import collect, everywhere, terms
from fleet.cli.status_model import Status
from fleet.host.supervise import Program, Supervisor
from fleet.kube.resources import MANAGED_CLUSTERS, NODES
from fleet.managers import registry
from fleet.managers.manager import Registration
from fleet.model import fleet_load
from fleet.model.fleet_file import ManagerOf
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.model.fleets import document, write
from tests.unit.report.made import fleet_file

PROGRAMS = ("kube-apiserver.its1", "kube-apiserver.wds1", "kwok.wec001")


def managed(name: str, **conditions: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]},
    }


def test_a_wec_is_available_when_it_is_at_every_transport() -> None:
    well, joined, absent = Registration("Available"), Registration("Joined", "not yet"), Registration("Absent", "no")
    first = {"wec001": well, "wec002": well, "wec003": joined}
    assert everywhere([first]) == first
    assert everywhere([first, {"wec001": well, "wec002": absent, "wec003": absent}]) == {
        "wec001": well, "wec002": absent, "wec003": joined
    }  # fmt: skip
    assert everywhere([]) == {}


def test_roles_are_called_as_the_manager_calls_them() -> None:
    for name, roles in (("ocm", {"hub": "hub", "wec": "WEC"}), ("none", {"wec": "WEC"})):
        role = "hub" if name == "ocm" else ""
        fleet = fleet_file(1).model_copy(update={"manager": ManagerOf(name=name, source=role, transport=role)})
        assert terms(fleet, registry.of(fleet)) == roles
    assert terms(fleet_file(1), registry.of(fleet_file(1))) == {"its": "ITS", "wds": "WDS", "wec": "WEC"}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """The fleet file's document, its folders made; the servers write their own kubeconfigs."""
    folder = tmp_path / "state" / "demo"
    made = document(folder, wecs=3)
    write(folder, made)
    for cluster in made["clusters"]:
        Path(cluster["kubeconfig"]).unlink()
    return made


@pytest.fixture
async def servers(tmp_path: Path, data: dict[str, Any]) -> AsyncIterator[dict[str, FakeApiServer]]:
    """A hub and three WECs: wec001 is well, wec002 is not registered, wec003 is away."""
    file = tmp_path / "state" / "demo" / "fleet.json"
    async with AsyncExitStack() as stack:
        running = {}
        for cluster in data["clusters"]:
            server = await stack.enter_async_context(FakeApiServer(cluster["name"], tls=True))
            server.write_kubeconfig(Path(cluster["kubeconfig"]))
            cluster["server"] = server.url
            running[cluster["name"]] = server
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        running["wec001"].store.create(NODES, {"metadata": {"name": "node-0"}, "status": ready})
        running["its1"].store.create(MANAGED_CLUSTERS, managed("wec001", ManagedClusterConditionAvailable="True"))
        data["components"] = [
            {"program": name, "component": name.partition(".")[0], "machine": "local", "version": "v1.34.4"}
            for name in (*PROGRAMS, "kwok.wec009")
        ]
        file.write_text(json.dumps(data))
        await running["wec003"].stop()
        yield running


async def look(folder: Path) -> Status:
    file = folder / "fleet.json"
    return await asyncio.to_thread(collect, fleet_load.load(file), file)


async def test_every_cluster_and_program(servers: dict[str, FakeApiServer], tmp_path: Path) -> None:
    folder = tmp_path / "state" / "demo"
    supervisor = Supervisor(folder)
    programs = [Program(name=name, argv=("/bin/sleep", "600")) for name in (*PROGRAMS, "extra")]
    try:
        await asyncio.to_thread(supervisor.converge, "planes", programs)
        await asyncio.to_thread(supervisor.stop, "kwok.wec001")
        found = await look(folder)
    finally:
        await asyncio.to_thread(supervisor.shutdown)
    assert [(row.name, row.ready, row.registered, row.nodes_ready) for row in found.clusters] == [
        ("its1", True, "", 0),
        ("wds1", True, "", 0),
        ("wec001", True, "Available", 1),
        ("wec002", True, "Absent", 0),
        ("wec003", False, "Absent", 0),
    ]
    states = {row.name: row.state for row in found.programs}
    assert states == {
        "extra": "RUNNING",
        "kube-apiserver.its1": "RUNNING",
        "kube-apiserver.wds1": "RUNNING",
        "kwok.wec001": "STOPPED",
        "kwok.wec009": "ABSENT",
    }
    alive = next(row for row in found.programs if row.name == "kube-apiserver.its1")
    assert (alive.component, alive.version) == ("kube-apiserver", "v1.34.4")
    assert min(alive.pid, alive.pss, alive.fds) > 0
    assert found.machines[0].total > found.machines[0].available > 0
    assert {text.partition(":")[0] for text in found.problems()} == {"wec002", "wec003", "kwok.wec001", "kwok.wec009"}
    assert servers["its1"].requests


async def test_a_transport_that_is_away_leaves_registrations_unknown(
    servers: dict[str, FakeApiServer], tmp_path: Path
) -> None:
    await servers["its1"].stop()
    found = await look(tmp_path / "state" / "demo")
    assert [row.registered for row in found.clusters] == ["", "", "?", "?", "?"]
    assert "wec001: its registration cannot be read: its1 does not answer" in found.problems()


async def test_a_fleet_without_a_manager_has_no_registrations(
    servers: dict[str, FakeApiServer], tmp_path: Path, data: dict[str, Any]
) -> None:
    folder = tmp_path / "state" / "demo"
    clusters = [cluster for cluster in data["clusters"] if cluster["role"] == "wec"]
    rest = {name: value for name, value in data.items() if name != "status_agent"}
    document = {**rest, "format": 2, "manager": {"name": "none"}, "clusters": clusters, "components": []}
    (folder / "fleet.json").write_text(json.dumps(document))
    found = await look(folder)
    assert [(row.name, row.registered, row.unregistered) for row in found.clusters] == [
        (f"wec{number:03d}", "", "") for number in (1, 2, 3)
    ]
    assert {text.partition(":")[0] for text in found.problems()} == {"wec002", "wec003"}  # no node, and away
    assert not servers["its1"].requests
