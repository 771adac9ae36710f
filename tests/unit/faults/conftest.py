"""A real supervisor with two programs that do nothing, and the fleet file of that machine."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.host.supervise import Program, Supervisor
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine

LOOP = "import signal; signal.pause()"
PROGRAMS = ("transport.wds1", "controller-manager.wds1")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    # A short path of its own: pytest's may exceed the 107 bytes of a unix socket.
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        found = Supervisor(Path(folder) / "demo")
        argv = (sys.executable, "-c", LOOP)
        found.converge("hub", [Program(name, argv, stop_seconds=2) for name in PROGRAMS])
        try:
            yield found
        finally:
            found.shutdown()


@pytest.fixture
def fleet(supervisor: Supervisor) -> FleetFile:
    def cluster(name: str, role: str, driver: str = "process") -> Cluster:
        return Cluster.model_validate(
            {"name": name, "role": role, "machine": "local", "driver": driver, "server": "https://127.0.0.1:1",
             "kubeconfig": "x"}
        )  # fmt: skip

    names = [
        *PROGRAMS,
        "etcd.its1",
        "kube-apiserver.its1",
        "registration.its1",
        "dense.0",
        "etcd.dense-0",
        "kwok.wec001",
    ]
    clusters = {"its1", "wds1", "wec001"}
    return FleetFile(
        name="demo",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="x",
        machines=[Machine(name="local", state_dir=str(supervisor.layout.root))],
        clusters=[cluster("its1", "its"), cluster("wds1", "wds"), cluster("wec001", "wec", "dense"),
                  cluster("wec002", "wec", "dense")],
        components=[
            Component(program=name, component=name.partition(".")[0], machine="local",
                      cluster=where if (where := name.partition(".")[2]) in clusters else "")
            for name in names
        ],
    )  # fmt: skip
