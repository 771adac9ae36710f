"""node-failure: which nodes may fail, that their Lease is held, and that it is given back to who plays them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from fleet.faults import notes
from fleet.faults.fault import Aim
from fleet.faults.node_failure import CONTROL_PLANE, HOLDER, NAMESPACE, NodeFailure
from fleet.host.layout import Layout
from fleet.kube.resources import LEASES, NODES, PODS
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.experiment.stand_in import set_status

WEC, PLAYER = "wec001", "player-1"
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def aim(**settings: Any) -> Aim:
    return Aim(
        key="000-node-failure", action="node-failure", target=WEC, fleet="demo", machine="m", planes=[WEC],
        settings=settings, repair="x",
    )  # fmt: skip


def node(server: FakeApiServer, name: str, holder: str, *, ready: bool = True, **labels: str) -> None:
    server.store.create(NODES, {"metadata": {"name": name, "labels": labels}})
    if ready:
        set_status(server.store, NODES, name, None, READY)
    lease = {"metadata": {"name": name}, "spec": {"holderIdentity": holder, "leaseDurationSeconds": 40}}
    server.store.create(LEASES, lease, NAMESPACE)


def holder(server: FakeApiServer, name: str) -> str | None:
    found = server.store.get(LEASES, name, NAMESPACE)
    assert found is not None
    return found["spec"].get("holderIdentity")


def ready(server: FakeApiServer, pod: str) -> str:
    found = server.store.get(PODS, pod, "default")
    assert found is not None
    return str(found["status"]["conditions"][0]["status"])


async def test_nodes_of_a_player_fail_and_come_back_and_no_others(tmp_path: Path) -> None:
    fault = NodeFailure()
    async with FakeApiServer(WEC, tls=True) as server:
        layout = Layout(tmp_path)
        layout.kubeconfig(WEC).parent.mkdir(parents=True)
        server.write_kubeconfig(layout.kubeconfig(WEC))
        node(server, "n-0", "n-0")  # a kubelet's
        node(server, "n-1", PLAYER, **{CONTROL_PLANE: ""})
        node(server, "n-2", PLAYER, ready=False)
        for name in ("n-3", "n-4", "n-5"):
            node(server, name, PLAYER)
        refused = await asyncio.to_thread(fault.refuse, aim(nodes=4), tmp_path)
        assert "wec001 has 3 ready nodes whose Lease another may take, and 4 shall fail" in refused
        assert not await asyncio.to_thread(fault.refuse, aim(nodes=3), tmp_path)

        two = aim(nodes=2)
        await asyncio.to_thread(fault.inject, two, tmp_path)
        assert [holder(server, f"n-{number}") for number in range(6)] == ["n-0", PLAYER, PLAYER, HOLDER, HOLDER, PLAYER]
        assert orjson.loads((notes.kept(tmp_path, two) / "nodes.json").read_bytes()) == ["n-3", "n-4"]
        set_status(server.store, NODES, "n-3", None, {"conditions": [{"type": "Ready", "status": "Unknown"}]})
        for name, phase in (("runs", "Running"), ("ended", "Succeeded")):
            server.store.create(PODS, {"metadata": {"name": name}, "spec": {"nodeName": "n-3"}}, "default")
            unready = [{"type": "Ready", "status": "False"}]
            set_status(server.store, PODS, name, "default", {"phase": phase, "conditions": unready})

        healing = asyncio.create_task(asyncio.to_thread(fault.heal, two, tmp_path))
        async with asyncio.timeout(10):
            while holder(server, "n-3") is not None or holder(server, "n-4") is not None:  # noqa: ASYNC110 - a thread
                await asyncio.sleep(0.01)
        assert not healing.done()
        for name in ("n-3", "n-4"):
            server.store.update(LEASES, name, NAMESPACE, lambda was: {**was, "spec": {"holderIdentity": PLAYER}})
        set_status(server.store, NODES, "n-3", None, READY)
        async with asyncio.timeout(10):
            await healing
        assert (ready(server, "runs"), ready(server, "ended")) == ("True", "False")
        await asyncio.to_thread(fault.heal, two, tmp_path)  # twice is no error
