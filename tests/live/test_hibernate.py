"""A control plane that nobody uses sleeps; a connection wakes it, waits, and finds what was there before."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane
from fleet.host.records import stored_server
from fleet.install.control_planes import converge, teardown
from fleet.toolchain import locate
from tests.live.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("shared")]
REPO = Path(__file__).parents[2]
NAP = 15.0
OK, CREATED = 200, 201


def test_a_connection_wakes_it_and_converging_leaves_it_asleep_or_wakes_it() -> None:
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        options = Options(wec_nodes=0, parallelism=2, hibernate=NAP)
        machine = Machine("nap", Path(folder) / "nap", locate(REPO / "toolchain"), options)
        planes = [ControlPlane(name, "wec", "dense") for name in ("wec001", "wec002")]
        try:
            converge(machine, planes, hub=False)
            admin = DenseAdmin(machine.layout.run / "dense-0.sock")
            one = machine.endpoint("wec001", stored_server(machine, "wec001"))
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}}
            assert one.request("POST", "/api/v1/namespaces/default/configmaps", body).status == CREATED
            until("both sleep", lambda: {i.state for i in admin.instances().values()} == {"asleep"})
            assert one.request("GET", "/api/v1/namespaces/default/configmaps/kept", timeout=60.0).status == OK
            # Its API server answers a moment before its controllers have started.
            awake = {"wec001": "ready", "wec002": "asleep"}
            until("one is awake", lambda: {name: i.state for name, i in admin.instances().items()} == awake)
            page = one.request("GET", "/metrics", timeout=60.0).text(10**8)
            assert 'fleet_dense_wakes_total{control_plane="wec001"} 1' in page
            assert "fleet_dense_wake_seconds_total" in page
            assert not converge(machine, planes, hub=False).change.changed
        finally:
            teardown(machine)
