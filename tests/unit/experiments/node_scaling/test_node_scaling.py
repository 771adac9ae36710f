"""node-scaling through the whole frame on a fake WEC whose nodes renew leases and run pods; limits; refusals."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.study import analyse
from fleet.errors import FleetError, SpecError, UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.reconfigure import Nodes
from fleet.experiment.runner import Outcome, Runner
from fleet.experiments import registry
from fleet.experiments.node_scaling.calls import METRIC, Kind, percentiles
from fleet.experiments.node_scaling.experiment import EXPERIMENT
from fleet.experiments.node_scaling.limits import CHANGE_P99, CLUSTER_P99, LEASE_P99, NOT_READY, POD_START_P99, passed
from fleet.experiments.node_scaling.spec import Limits, NodeScaling
from fleet.kube import resources
from fleet.managers.none.manager import MANAGER
from fleet.model.fleet_file import FleetFile
from fleet.report.html import page
from fleet.results.folder import RunFolder
from tests.unit.experiments.playing_fleet import READY, PlayingFleet

LEASES = "kube-node-lease"
RENEW_SECONDS = 0.1
MOST = "the most that the file requests (4 nodes) was reached"


class NodesFleet(PlayingFleet):
    """Has as many nodes as `have` says, which renew their leases; beyond `most` they turn not ready."""

    most = 1000

    def begin(self) -> None:
        super().begin()
        self.nodes: list[str] = []
        self.given: list[Nodes | None] = []
        self._renewed = 0.0

    async def have(self, _limits: object, _link: object, _serving: int, nodes: Nodes | None, *_: object) -> None:
        """As `fleet up` does it."""
        self.given.append(nodes)
        count = 0 if nodes is None else nodes.count
        if count > 2 * self.most:
            raise FleetError("`fleet up` ended with 2:\nmemory: 1 GiB is left\n")
        store = self.wecs["wec001"].store
        wanted = [f"n{number}" for number in range(count)]
        for name in set(self.nodes) - set(wanted):
            store.delete(resources.NODES, name)
            store.delete(resources.LEASES, name, LEASES)
        for name in [name for name in wanted if name not in self.nodes]:
            store.create(resources.NODES, {"metadata": {"name": name}, "status": {"conditions": READY}})
            store.create(resources.LEASES, {"metadata": {"name": name}, "spec": {"renewTime": "0"}}, LEASES)
        self.nodes = wanted

    def act(self) -> None:
        super().act()
        if time.monotonic() < self._renewed + RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        store = self.wecs["wec001"].store
        for name in self.nodes:
            spec = {"renewTime": str(self._renewed)}
            store.update(resources.LEASES, name, LEASES, lambda old, spec=spec: {**old, "spec": spec})
        if len(self.nodes) > self.most:
            status = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
            store.update(resources.NODES, self.nodes[0], None, lambda old: {**old, "status": status})


@pytest.fixture
async def nodes(state: Path) -> AsyncIterator[NodesFleet]:
    async with NodesFleet(state, 1) as stand_in:
        yield stand_in


def spec(**fields: Any) -> NodeScaling:
    small = {"simulators": ["kwok", "hollow"], "first": 2, "most": 4, "pods_per_node": 2, "pods_per_second": 100}
    times = {"settle": "300ms", "window": "600ms", "timeouts": {"settle": "10s", "object": "10s", "clean": "10s"}}
    return NodeScaling.model_validate({"experiment": "node-scaling", **small, **times, **fields})


async def run(fleet: NodesFleet, chosen: NodeScaling) -> Outcome:
    results = fleet.folder.parent / "results"
    runner = Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=Silent(), reconfigure=fleet.have)
    return await runner.run()


async def test_each_step_is_measured_at_rest_and_with_pods(nodes: NodesFleet) -> None:
    outcome = await run(nodes, spec(limits={"lease": "30s", "pod_start": "30s"}))
    study = analyse(RunFolder.open(outcome.folder))
    tables = {table.name: table for table in study.own.tables}

    assert nodes.given == [Nodes("kwok", 2), Nodes("kwok", 4), Nodes("hollow", 2), Nodes("hollow", 4), None]
    assert [row[:6] for row in tables["limits"].rows] == [
        [simulator, 1, state, 4, None, MOST]
        for simulator in ("kwok", "hollow") for state in ("at rest", "with pods")
    ]  # fmt: skip
    assert {(row.stage, row.missing) for row in study.rows} == {
        (stage, 0) for stage in ("lag", "create", "schedule", "start")
    }
    assert sum(row.count for row in study.rows if row.stage == "start") == 2 * (2 + 4) * 2
    assert (
        study.own.said[0]
        == "kwok: the growth ended because of this: the most that the file requests (4 nodes) was reached"
    )
    assert nodes.leftovers() == []
    assert "Lease renewals, p99" in page(study)


async def test_growth_ends_where_nodes_turn_not_ready(nodes: NodesFleet) -> None:
    nodes.most = 3
    outcome = await run(nodes, spec(simulators=["kwok"], most=16, limits={"lease": "30s"}, pods_per_node=0))
    study = analyse(RunFolder.open(outcome.folder))
    assert nodes.given == [Nodes("kwok", 2), Nodes("kwok", 4), None]
    (row,) = next(table for table in study.own.tables if table.name == "limits").rows
    assert row == ["kwok", 1, "at rest", 2, 4, "1 nodes turned NotReady"]


async def test_nodes_that_do_not_come_up_and_a_budget_that_is_over_end_it(nodes: NodesFleet) -> None:
    nodes.most = 1
    outcome = await run(nodes, spec(simulators=["kwok"], first=3, most=6, pods_per_node=0))
    study = analyse(RunFolder.open(outcome.folder))
    assert study.own.said == ["kwok: the growth ended because of this: 3 nodes did not come up: memory: 1 GiB is left"]
    nodes.most = 1000
    outcome = await run(
        nodes, spec(simulators=["kwok"], most=64, pods_per_node=0, budget="2s", limits={"lease": "30s"})
    )
    study = analyse(RunFolder.open(outcome.folder))
    assert "the budget of time (2 s) was over before" in study.own.said[0]
    assert nodes.given[-1] is None


def test_limits_are_told_with_their_numbers() -> None:
    assert (
        passed({LEASE_P99: 20.0, POD_START_P99: 5.0, CHANGE_P99: 1.0, CLUSTER_P99: 30.0, NOT_READY: 0.0}, Limits())
        == []
    )
    assert passed({NOT_READY: 2.0, POD_START_P99: 6.25, LEASE_P99: 21.0, CHANGE_P99: 1.5}, Limits()) == [
        "2 nodes turned NotReady",
        "leases were late (p99 21 s, at most 20 s)",
        "pods started late (p99 6.25 s, at most 5 s)",
        "changes were answered late (p99 1.5 s, at most 1 s)",
    ]


def test_percentiles_are_of_the_rises_of_a_kind() -> None:
    inf = float("inf")
    before = {(Kind("PUT", "resource"), 0.5): 1000.0, (Kind("PUT", "resource"), inf): 1000.0}
    after = {
        (Kind("PUT", "resource"), 0.5): 1000.0, (Kind("PUT", "resource"), 2.0): 1080.0,
        (Kind("PUT", "resource"), inf): 1080.0,
        (Kind("PATCH", "resource"), 0.5): 20.0, (Kind("PATCH", "resource"), 2.0): 20.0,
        (Kind("PATCH", "resource"), inf): 20.0,
        (Kind("WATCH", "cluster"), inf): 500.0, (Kind("LIST", "cluster"), inf): 99.0,
    }  # fmt: skip
    found = percentiles(before, after)
    assert set(found) == {CHANGE_P99}, "of fewer than 100 requests, and of watches, nothing is reported"
    assert 0.5 < found[CHANGE_P99] <= 2.0
    assert METRIC.endswith("_bucket")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("simulators=[mixed]", "simulators: 'mixed' does not play all nodes of a WEC: name some of hollow, kwok"),
        ("simulators=[kwok, kwok]", "simulators: each simulator once"),
        ("most=3", "most: 3 nodes are fewer than the first step's (16)"),
        ("pods_per_node=111", "pods_per_node: should be less than or equal to 110, not 111"),
        ("limits.lease=0s", "limits.lease: should be greater than 0, not '0s'"),
    ],
)
def test_bad_input_is_refused(tmp_path: Path, field: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("experiment: node-scaling\n")
    with pytest.raises((SpecError, UsageError)) as caught:
        registry.load(file, sets=[field])
    assert caught.value.exit_code == 2
    assert said in str(caught.value)


async def test_fleets_on_which_it_cannot_be_done_are_refused(nodes: NodesFleet) -> None:
    def refused(chosen: FleetFile) -> str:
        with pytest.raises(UsageError) as caught:
            EXPERIMENT.plan(spec(), chosen, MANAGER)
        return str(caught.value)

    fleet = nodes.file()
    twice = [fleet.clusters[0], fleet.clusters[0].model_copy(update={"name": "wec002"})]
    assert "has 2: fleet up -e manager=none -e wec_count=1" in refused(fleet.model_copy(update={"clusters": twice}))
    there = [fleet.clusters[0].model_copy(update={"driver": "existing"})]
    assert "this one was there" in refused(fleet.model_copy(update={"clusters": there}))
    results = nodes.folder.parent / "results"
    with pytest.raises(UsageError):
        Runner(fleet, nodes.folder, EXPERIMENT, spec(), results, progress=Silent())
    assert not results.exists()
