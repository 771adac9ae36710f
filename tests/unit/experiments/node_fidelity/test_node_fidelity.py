"""The experiment node-fidelity: what it refuses, its trials, and its arithmetic worked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.errors import SpecError, UsageError
from fleet.experiments.node_fidelity import analysis, series
from fleet.experiments.node_fidelity.experiment import EXPERIMENT, pod
from fleet.experiments.node_fidelity.sorts import Nodes, Sort, sorts_of
from fleet.experiments.node_fidelity.spec import NodeFidelity
from fleet.host.layout import Layout
from fleet.host.pods import PodProgram, write_pod_programs
from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.managers import registry
from fleet.model.experiment_file import Profiles
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine, ManagerOf
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import Measured, MetricSample, RunMark, TrialPlan
from fleet.results.folder import RunFolder

REFERENCE = Path(__file__).parents[4] / "results" / "wec-scaling" / "reference"
NS = 1_000_000_000
PODS = (PodProgram("hollow-0.wec001", "hollow", "ns", "hollow-0", "--config=/c/hollow-0.json"),)


def fleet(root: Path, driver: str = "process", *programs: str) -> FleetFile:
    return FleetFile(
        name="demo", created="2026-01-01T00:00:00Z", toolchain_digest="none", manager=ManagerOf(name="none"),
        node_simulator="mixed", wec_nodes=4, wec_hollow_nodes=2,
        machines=[Machine(name="localhost", state_dir=str(root))],
        clusters=[
            Cluster(name="wec001", role="wec", machine="localhost", driver=driver, server="https://127.0.0.1:1",
                    kubeconfig=str(root / "k"))
        ],
        components=[
            Component(program=name, component=name.split("-")[0].split(".")[0], machine="localhost", cluster="wec001")
            for name in programs or ("kwok.wec001", "hollow-0.wec001", "hollow-1.wec001")
        ],
    )  # fmt: skip


def test_each_round_has_no_node_and_then_each_sort(tmp_path: Path) -> None:
    spec = NodeFidelity(experiment="node-fidelity", repeats=2)
    found = fleet(tmp_path, "kind")
    trials = EXPERIMENT.plan(spec, found, registry.of(found))
    assert [trial.point for trial in trials] == [
        "nodes=none", "nodes=kwok", "nodes=hollow", "nodes=real"
    ] * 2  # fmt: skip
    _, sorts = sorts_of(found)
    assert [sort.selector for sort in sorts] == [
        "fleet-testbed/node=fake", "fleet-testbed/node=hollow", "!fleet-testbed/node"
    ]  # fmt: skip
    assert sorts[1].programs == ("hollow-0.wec001", "hollow-1.wec001")


def test_nodes_in_pods_are_a_sort_that_the_machine_s_supervisor_does_not_know(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.cluster("wec001").mkdir(parents=True)
    write_pod_programs(layout, "wec001", PODS)
    _, (kwok, hollow, real) = sorts_of(fleet(tmp_path, "kind", "kwok.wec001"))
    assert (kwok.pods, real.pods) == ((), ())
    assert hollow.programs == ("hollow-0.wec001",)
    assert hollow.pods == PODS


class Watched(Nodes):
    """Writes down in which order nodes are switched, and does nothing."""

    def __init__(self, fleet: FleetFile, sorts: list[Sort]) -> None:
        super().__init__(fleet, fleet.clusters[0], sorts, KubeClient(Endpoint("wec001", "https://127.0.0.1:1")))
        self.said: list[str] = []

    async def _scale(self, sort: Sort, replicas: int) -> None:
        self.said.append(f"{sort.name} {replicas}")

    async def _ended(self, sort: Sort, seconds: float) -> None:  # noqa: ARG002
        self.said.append(f"{sort.name} ended")

    async def _woken(self, sort: Sort, seconds: float) -> int:  # noqa: ARG002
        await self._start(sort)
        self.said.append(f"{sort.name} ready")
        return 1

    def _switch(self, *, on: bool) -> None:
        self.said.append(f"kubelet {'on' if on else 'off'}")


async def test_pods_end_and_begin_while_the_kubelet_of_the_real_node_runs(tmp_path: Path) -> None:
    hollow, real = Sort("hollow", "hollow", ("hollow-0.wec001",), PODS), Sort("real", "", ("kubelet.wec001",))
    nodes = Watched(fleet(tmp_path, "kind"), [hollow, real])
    assert await nodes.only(hollow, 1) == 1
    assert nodes.said == ["kubelet on", "hollow 1", "hollow ready", "kubelet off"]
    nodes.said.clear()
    assert await nodes.only(None, 1) == 0
    assert nodes.said == ["kubelet on", "hollow 0", "hollow ended", "kubelet off"]
    nodes.said.clear()
    assert await nodes.only(real, 1) == 1
    assert nodes.said == ["kubelet on", "hollow 0", "hollow ended", "kubelet on", "real ready"]


def test_what_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="control_plane_driver=process"):
        sorts_of(fleet(tmp_path, "dense"))
    shared = fleet(tmp_path).model_copy(update={"variables": {"wec_programs": "shared"}})
    with pytest.raises(UsageError, match="wec_programs=own"):
        sorts_of(shared)
    with pytest.raises(UsageError, match="no node of this fleet plays pods"):
        sorts_of(fleet(tmp_path, "process", "etcd.wec001"))
    away = fleet(tmp_path).model_copy(
        update={"machines": [Machine(name="localhost", connection="ssh", address="10.0.0.1", state_dir="/x")]}
    )
    with pytest.raises(UsageError, match="on this machine"):
        sorts_of(away)


def test_a_manager_and_profiles_are_refused(tmp_path: Path) -> None:
    found, spec = fleet(tmp_path), NodeFidelity(experiment="node-fidelity")
    with pytest.raises(UsageError, match="manager=none"):
        EXPERIMENT.plan(spec, found, registry.load("ocm"))
    with pytest.raises(SpecError, match=r"profiles\.enabled"):
        EXPERIMENT.plan(spec.model_copy(update={"profiles": Profiles(enabled=True)}), found, registry.of(found))


def test_pods_go_to_the_nodes_of_their_sort() -> None:
    hollow = pod("p", {}, "pause", Sort("kwok", "fake", ()))["spec"]
    assert hollow["nodeSelector"] == {"fleet-testbed/node": "fake"}
    real = pod("p", {}, "pause", Sort("real", "", ()))["spec"]
    (term,) = real["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term == {"matchExpressions": [{"key": "fleet-testbed/node", "operator": "DoesNotExist"}]}
    assert real["tolerations"]


class Log:
    """Lines of a run: a minute at rest, then half a minute of pods."""

    def __init__(self) -> None:
        self.recorded = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
        self.seconds = 0
        self.trials = 0
        self.totals: dict[tuple[str, str], float] = {}

    def add(self, name: str, rise: float, labels: str = "") -> None:
        self.totals[name, labels] = self.totals.get((name, labels), 0.0) + rise
        self._sample(name, labels, self.totals[name, labels])

    def level(self, name: str, value: float, labels: str = "") -> None:
        self._sample(name, labels, value)

    def _sample(self, name: str, labels: str, value: float) -> None:
        self.recorded.metrics.append(
            MetricSample(ns=self.seconds * NS, wall=0, component="kube-apiserver", cluster="wec001", name=name,
                         labels=labels, value=value)
        )  # fmt: skip

    def step(self, name: str, edge: str) -> None:
        self.recorded.add(RunMark(ns=self.seconds * NS, wall=0, step=name, edge=edge, trial=self.trial))

    @property
    def trial(self) -> str:
        return f"t{self.trials:03d}"

    def run(self, sort: str, nodes: int, leases: float, cpu: float, live: float, events: float) -> None:
        self.trials += 1
        self.recorded.add(
            TrialPlan(ns=self.seconds * NS, wall=0, trial=self.trial, layout="", wecs=1, repeat=0, clusters=["wec001"],
                      kind="", point=f"nodes={sort}")
        )  # fmt: skip
        for name, value in ((series.NODES, float(nodes)), (series.NODE_CPU, 0.02), (series.NODE_MEMORY, 4096.0)):
            self.recorded.add(Measured(ns=1, wall=1, trial=self.trial, name=name, value=value, unit="", of={}))
        self.step(series.IDLE, "begin")
        self.seconds += 60
        self.add("apiserver_request_total", leases, "resource=leases,verb=PUT")
        self.add(series.CPU, cpu)
        self.level(series.LIVE, live)
        self.level(series.LONG_RUNNING, 10 + 8 * nodes, "resource=pods,verb=WATCH")
        self.step(series.IDLE, "end")
        if nodes:
            self.step(series.PODS, "begin")
            self.seconds += 30
            self.add("apiserver_request_total", leases / 2 + 1, "resource=leases,verb=PUT")
            self.add("apiserver_request_total", events, "resource=events,verb=POST")
            self.add(series.CPU, cpu / 2 + 1)
            self.step(series.PODS, "end")
        self.seconds += 10


def test_what_nodes_ask_is_the_difference_to_no_nodes() -> None:
    log = Log()
    log.add("apiserver_request_total", 1000, "resource=leases,verb=PUT")
    for _ in range(2):
        log.run("none", 0, leases=30, cpu=0.6, live=100 * 1024, events=0)
        log.run("kwok", 10, leases=90, cpu=1.2, live=110 * 1024, events=20)
        log.run("hollow", 10, leases=90, cpu=1.8, live=200 * 1024, events=100)
    run = RunFolder.open(REFERENCE).read_run()
    run = run.with_(spec=run.spec.model_copy(update={"pods": 20}))
    found = analysis.findings(run, log.recorded, Path())
    tables = {table.name: table for table in found.tables}
    assert [column.name for column in tables["fidelity"].columns] == [
        "quantity", "unit", "kwok", "hollow", "kwok / hollow"
    ]  # fmt: skip
    rows = {str(row[0]): row[2:] for row in tables["fidelity"].rows}
    assert rows["requests of a node at rest"] == pytest.approx([6, 6, 1])
    assert rows["watches of a node"] == pytest.approx([8, 8, 1])
    assert rows["CPU of the API server per node at rest"] == pytest.approx([0.1, 0.2, 0.5])
    assert rows["memory of the API server per node"] == pytest.approx([1, 10, 0.1])
    assert rows["memory of the node itself (PSS)"] == pytest.approx([0.4, 0.4, 1])
    assert rows["of them events"] == pytest.approx([1, 5, 0.2])
    assert rows["requests of a pod, up and down"] == pytest.approx([1.05, 5.05, 1.05 / 5.05])
    assert rows["CPU of the API server for a pod"] == pytest.approx([50, 50, 1])
    assert [row[:2] for row in tables["pods"].rows] == [["POST", "events"], ["PUT", "leases"]]
    slope = next(row for row in tables["slopes"].rows if row[0] == "hollow" and row[2] == "KiB")
    assert slope[3] == pytest.approx(10)
    assert found.said == ["a pod takes, up and down, 1.1 on kwok nodes, 5.0 on hollow nodes requests at its API server"]


def test_a_run_that_ended_before_its_first_window_says_so() -> None:
    run = RunFolder.open(REFERENCE).read_run()
    found = analysis.findings(run, Log().recorded, Path())
    assert "no window at rest was measured to its end" in found.reasons
