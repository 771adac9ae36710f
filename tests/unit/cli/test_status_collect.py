"""`fleet status` against fake API servers and a real supervisor with real programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.status_collect import collect, everywhere, registration
from fleet.cli.status_model import Status
from fleet.host.supervise import Program, Supervisor
from fleet.kube.resources import MANAGED_CLUSTERS, NODES
from fleet.model import fleet_load
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.model.fleets import document, write

PROGRAMS = ("kube-apiserver.its1", "kube-apiserver.wds1", "kwok.wec001")


def managed(name: str, **conditions: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]},
    }


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ({}, "Pending"),
        ({"HubAcceptedManagedCluster": "False"}, "Pending"),
        ({"HubAcceptedManagedCluster": "True"}, "Accepted"),
        ({"HubAcceptedManagedCluster": "True", "ManagedClusterJoined": "True"}, "Joined"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "True"}, "Available"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "False"}, "Unavailable"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "Unknown"}, "Unknown"),
    ],
)
def test_the_word_for_a_registration(conditions: dict[str, str], word: str) -> None:
    assert registration(managed("wec001", **conditions)) == word
    assert registration({}) == "Pending"


def test_a_wec_is_available_when_it_is_at_every_its() -> None:
    first = {"wec001": "Available", "wec002": "Available", "wec003": "Joined"}
    assert everywhere([first]) == first
    second = {"wec001": "Available", "wec003": "Pending", "wec004": "Available"}
    assert everywhere([first, second]) == {
        "wec001": "Available", "wec002": "Absent", "wec003": "Joined", "wec004": "Absent"
    }  # fmt: skip
    assert everywhere([]) == {}


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


async def test_an_its_that_is_away_leaves_registrations_unknown(
    servers: dict[str, FakeApiServer], tmp_path: Path
) -> None:
    await servers["its1"].stop()
    found = await look(tmp_path / "state" / "demo")
    assert {row.registered for row in found.clusters} == {""}
    assert "wec001: its registration cannot be read: the ITS does not answer" in found.problems()
