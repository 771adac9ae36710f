"""A run of node-fidelity through the whole frame: a fake API server, and a real supervisor whose programs stand for
those of the nodes. The lease of a node is renewed, and counted in the metrics, only while its program runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.analysis.study import Study, analyse
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner
from fleet.experiments.node_fidelity.experiment import EXPERIMENT
from fleet.experiments.node_fidelity.spec import NodeFidelity
from fleet.host.supervise import Program, Supervisor
from fleet.kube import resources
from fleet.model.fleet_file import Component, FleetFile
from fleet.results.folder import RunFolder
from tests.unit.experiments.playing_fleet import PlayingFleet

NODES = {"kwok.wec001": ("fake", ["kwok-001"]), "hollow-0.wec001": ("hollow", ["hollow-001", "hollow-002"])}
"""Of each program, the label of its nodes and their names."""
LOOK_SECONDS = 0.1
WAITS = "import signal; signal.pause()"


class NodesFleet(PlayingFleet):
    """One WEC with both sorts."""

    def begin(self) -> None:
        """The nodes are there, and their programs run."""
        super().begin()
        self.renewals = 0
        self.looked = 0.0
        self.supervisor = Supervisor(self.folder)
        self.supervisor.converge("nodes", [Program(name, (sys.executable, "-c", WAITS)) for name in NODES])
        for value, names in NODES.values():
            for name in names:
                body = {
                    "metadata": {"name": name, "labels": {"fleet-testbed/node": value}},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
                }
                self.wecs["wec001"].store.create(resources.NODES, body)
                lease = {"metadata": {"name": name}, "spec": {"renewTime": datetime.now(UTC).isoformat()}}
                self.wecs["wec001"].store.create(resources.LEASES, lease, "kube-node-lease")

    def act(self) -> None:
        """Also the leases."""
        super().act()
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        self.looked = time.monotonic()
        running = {state.name for state in self.supervisor.states() if state.running}
        wec = self.wecs["wec001"]
        alive = [name for program in running & NODES.keys() for name in NODES[program][1]]
        for name in (name for _, names in NODES.values() for name in names):
            status = {"conditions": [{"type": "Ready", "status": "True" if name in alive else "Unknown"}]}
            wec.store.update(resources.NODES, name, None, lambda old, status=status: {**old, "status": status})
        for name in alive:
            spec = {"renewTime": datetime.now(UTC).isoformat()}
            wec.store.update(resources.LEASES, name, "kube-node-lease", lambda old, spec=spec: {**old, "spec": spec})
        self.renewals += len(alive)
        wec.metrics_text = (
            f'apiserver_request_total{{verb="PUT",resource="leases",subresource="",code="200"}} {self.renewals}\n'
            f'apiserver_longrunning_requests{{verb="WATCH",resource="pods"}} {10 + 8 * len(alive)}\n'
        )

    def file(self) -> FleetFile:
        """With the programs of its nodes."""
        components = [
            Component(program=name, component="kwok" if name.startswith("kwok") else "hollow", machine="local",
                      cluster="wec001")
            for name in NODES
        ]  # fmt: skip
        return (
            super()
            .file()
            .model_copy(
                update={"node_simulator": "mixed", "wec_nodes": 3, "wec_hollow_nodes": 2, "components": components}
            )
        )


@pytest.fixture
async def nodes() -> AsyncIterator[NodesFleet]:
    # A short path of its own: pytest's may exceed the 107 bytes of a unix socket.
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        state = Path(folder) / "demo"
        state.mkdir(mode=0o700)
        async with NodesFleet(state, 1) as made:
            try:
                yield made
            finally:
                made.supervisor.shutdown()


async def test_each_sort_runs_alone_and_all_run_again_at_the_end(nodes: NodesFleet, tmp_path: Path) -> None:
    outcome, study = await run(nodes, tmp_path)
    slow = ("harness-bound", "raced", "late (p99")
    assert [why for why in outcome.reasons if not any(word in why for word in slow)] == []
    assert [plan.point for plan in study.recorded.trials] == ["nodes=none", "nodes=kwok", "nodes=hollow"]
    counts = {one.trial: one.value for one in study.recorded.measured if one.name == "nodes"}
    assert counts == {"t000": 0, "t001": 1, "t002": 2}
    fidelity = next(table for table in study.own.tables if table.name == "fidelity")
    rows = {str(row[0]): row[2:] for row in fidelity.rows}
    assert rows["watches of a node"] == [8, 8, 1]
    kwok, hollow, factor = rows["requests of a node at rest"]
    assert isinstance(kwok, float)
    assert isinstance(hollow, float)
    assert kwok > 0
    assert factor == pytest.approx(kwok / hollow)
    assert {row.stage: (row.count, row.missing) for row in study.rows if row.stage == "schedule"} == {
        "schedule": (2, 0)
    }  # fmt: skip
    assert all(state.running for state in nodes.supervisor.states())
    assert nodes.leftovers() == []


async def run(nodes: NodesFleet, tmp_path: Path) -> tuple[Outcome, Study]:
    limits = {"settle": "20s", "object": "20s", "clean": "10s"}
    spec = NodeFidelity.model_validate({
        "experiment": "node-fidelity", "repeats": 1, "settle": "0s", "window": "1s", "pods": 2, "qps": 50.0,
        "stay": "200ms", "timeouts": limits,
    })  # fmt: skip
    runner = Runner(nodes.file(), nodes.folder, EXPERIMENT, spec, tmp_path / "results", progress=Silent())
    outcome = await runner.run()
    return outcome, analyse(RunFolder.open(outcome.folder))
