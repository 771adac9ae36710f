"""scheduler-throughput through the whole frame, on a fake API server; a script stands in for the scheduler, the fleet
binds while it runs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleet.analysis.study import analyse
from fleet.errors import UsageError
from fleet.experiment import batches
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments.scheduler_throughput.experiment import EXPERIMENT
from fleet.experiments.scheduler_throughput.spec import SchedulerThroughput
from fleet.host.pki import FleetPki
from fleet.kube import resources
from fleet.model.fleet_file import Component, FleetFile
from fleet.report.html import page
from fleet.results.folder import RunFolder
from tests.unit.experiment.plain_fleets import PlainFleet
from tests.unit.experiment.stand_in import POLL_SECONDS, ensure, set_status

NODES = 2
AT_ONCE = 10
PODS = 30
CHECKED = """#!/bin/sh
case "$*" in
*--write-config-to=*)
  grep -q nonsense "${1#--config=}" || exit 0
  echo "unknown field nonsense" >&2
  exit 1 ;;
esac
"""
"""A scheduler that is asked to check its configuration."""
SCHEDULER = CHECKED + 'echo $$ > "$(dirname "$0")/pid"\nexec sleep 600\n'
DYING = CHECKED + 'echo $$ > "$(dirname "$0")/pid"\nsleep 1\necho no memory left\nexit 3\n'


class SchedulerFleet(PlainFleet):
    """One WEC; pods of any scheduler but the WEC's own are bound while the script runs."""

    most = 10**6
    """So many are bound, no more."""
    refuses = False
    """The first deletion of pods."""

    def file(self) -> FleetFile:
        """With nodes, and a kube-scheduler."""
        program = Component(program="kube-scheduler.wec001", component="kube-scheduler", machine="local",
                            cluster="wec001", argv=[str(self.program)])  # fmt: skip
        return super().file().model_copy(update={"wec_nodes": NODES, "components": [program]})

    @property
    def program(self) -> Path:
        """The script."""
        return self.folder / "bin" / "kube-scheduler"

    def write(self, text: str) -> None:
        """Another script."""
        self.program.parent.mkdir(exist_ok=True)
        self.program.write_text(text)
        self.program.chmod(0o700)

    def begin(self) -> None:
        """Authorities, a script, nodes."""
        FleetPki.ensure(self.folder / "pki", "test")
        self.write(SCHEDULER)
        self.store = self.wecs["wec001"].store
        self.taints: list[set[str]] = []
        for number in range(NODES):
            self.store.create(resources.NODES, {"metadata": {"name": f"node-{number}"}, "spec": {}})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self.act()

    def act(self) -> None:
        """Accounts, scheduler, nodes."""
        for space in self.store.objects(resources.NAMESPACES):
            account = {"metadata": {"name": "default", "namespace": space["metadata"]["name"]}}
            ensure(self.store, resources.SERVICE_ACCOUNTS, account)
        found = self.store.objects(resources.PODS)
        bound = [pod for pod in found if pod["spec"].get("nodeName")]
        for pod in bound:
            if not pod.get("status"):
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
                set_status(self.store, resources.PODS, pod["metadata"]["name"], pod["metadata"]["namespace"], status)
        if self.refuses and sum(bool(pod.get("status")) for pod in found) == PODS:
            self.refuses = False
            fail = self.wecs["wec001"].fail
            fail.only, fail.status_403 = "pods", 1
        if not self._scheduler_runs():
            return
        waiting = [pod for pod in found if not pod["spec"].get("nodeName")]
        for number, pod in enumerate(waiting[: min(AT_ONCE, self.most - len(bound))]):
            self._bind(pod["metadata"], f"node-{(len(bound) + number) % NODES}")
        if waiting:
            nodes = self.store.objects(resources.NODES)
            self.taints.append({taint["key"] for node in nodes for taint in node["spec"].get("taints") or []})

    def _bind(self, meta: Mapping[str, Any], node: str) -> None:
        def bound(old: Any) -> Any:
            return {**old, "spec": {**old["spec"], "nodeName": node}}

        self.store.update(resources.PODS, meta["name"], meta["namespace"], bound)

    def _scheduler_runs(self) -> bool:
        file = self.program.with_name("pid")
        text = file.read_text().strip() if file.exists() else ""
        return bool(text) and psutil.pid_exists(int(text))


@pytest.fixture
async def fleet(state: Path) -> AsyncIterator[SchedulerFleet]:
    async with SchedulerFleet(state, 1) as stand_in:
        yield stand_in


def spec(**fields: Any) -> SchedulerThroughput:
    base = {"experiment": "scheduler-throughput", "pods": PODS, "sample_interval": "1s", "schedulers": [{"name": "a"}],
            "loads": ["one-group"]}  # fmt: skip
    return SchedulerThroughput.model_validate(base | fields)


async def run(fleet: SchedulerFleet, chosen: SchedulerThroughput) -> Outcome:
    results = fleet.folder.parent / "results"
    return await Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=Silent()).run()


async def test_each_scheduler_under_each_load_and_nothing_is_left(fleet: SchedulerFleet) -> None:
    chosen = spec(schedulers=[{"name": "a"}, {"name": "b", "qps": 9, "burst": 10}], loads=["taints", "priority"])
    outcome = await run(fleet, chosen)
    study = analyse(RunFolder.open(outcome.folder))
    rows = {(row.stage, row.point): (row.count, row.missing) for row in study.rows}
    for load in ("taints", "priority"):
        for name in ("a", "b"):
            for stage in ("create", "pending", "start"):
                assert rows[stage, f"load={load} scheduler={name}"] == (PODS, 0), stage
    tables = {table.name: table for table in study.own.tables}
    assert [row[:5] for row in tables["throughput"].rows] == [
        [load, name, f"t{n:03d}", PODS, PODS]
        for n, (load, name) in enumerate((x, y) for x in ("taints", "priority") for y in ("a", "b"))
    ]
    predicted = [row[9] for row in tables["throughput"].rows]
    assert predicted == [None, pytest.approx(20 / 9)] * 2
    assert [row[2:6] for row in tables["spread"].rows] == [[PODS, NODES, 2, PODS // 2]] * 4
    (most,) = [n for n, column in enumerate(tables["limits"].columns) if column.name == "descriptors, most"]
    assert all(row[most] > 0 for row in tables["limits"].rows)
    text = page(study)
    for part in ("throughput", "limits", "creation", "scheduling", "management", "clean-up"):
        assert f'id="{part}"' in text, part
    assert "Pods bound over time: taints" in text
    # The stand-in has no page of metrics: that is said, and nothing else.
    assert {anomaly.what for anomaly in study.recorded.anomalies} <= {"metrics"}

    assert max(map(len, fleet.taints)) == NODES  # there while pods of that load were bound
    assert not any(node["spec"].get("taints") for node in fleet.store.objects(resources.NODES))
    assert fleet.store.objects(resources.PRIORITY_CLASSES) == []
    assert fleet.leftovers() == []
    assert not fleet._scheduler_runs()


async def test_pods_of_a_scheduler_that_runs_before_them(fleet: SchedulerFleet) -> None:
    outcome = await run(fleet, spec(start="before"))
    study = analyse(RunFolder.open(outcome.folder))
    rows = {row.stage: (row.count, row.missing) for row in study.rows}
    assert rows["pending"] == (PODS, 0)  # the pod that showed that it works is none of them
    assert fleet.leftovers() == []


async def test_labels_and_objects_of_one_scheduler_are_there_with_its_pods_only(fleet: SchedulerFleet) -> None:
    queue = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "queue"}, "data": {"size": "1"}}
    queued = {"name": "b", "labels": {"queue-name": "queue"}, "objects": [queue]}
    outcome = await run(fleet, spec(schedulers=[{"name": "a"}, queued]))
    rows = {row.point: row.missing for row in analyse(RunFolder.open(outcome.folder)).rows if row.stage == "pending"}
    assert rows == {"load=one-group scheduler=a": 0, "load=one-group scheduler=b": 0}
    written = [entry.after for entry in fleet.store.since(0) if entry.after is not None]
    labelled = {one["metadata"]["name"][:4] for one in written if "queue-name" in (one["metadata"].get("labels") or {})}
    assert labelled == {"t001"}
    assert [one["data"] for one in written if one["metadata"]["name"] == "queue"] == [{"size": "1"}]
    assert fleet.leftovers() == []


async def test_a_deletion_that_fails_is_written_down_and_followed_by_another(
    fleet: SchedulerFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "POLL_SECONDS", 0.2)
    fleet.refuses = True
    outcome = await run(fleet, spec(loads=["one-group", "taints"]))
    recorded = analyse(RunFolder.open(outcome.folder)).recorded
    rows = [line for line in recorded.requests if line.op == "delete-collection"]
    assert [line.code for line in rows][:2] == [403, 200]
    assert {line.trial for line in rows} == {"t000", "t001"}
    assert fleet.leftovers() == []


async def test_a_scheduler_that_dies_is_in_the_verdict(fleet: SchedulerFleet) -> None:
    fleet.write(DYING)
    fleet.most = 20
    outcome = await run(fleet, spec())
    assert outcome.verdict == "partial"
    said = " ".join(outcome.reasons)
    assert "a ended with code 3 when 20 of 30 pods were bound: no memory left" in said
    assert "t000: 10 of 30 pods were not bound" in said
    assert fleet.leftovers() == []


async def test_a_profile_that_its_program_does_not_take_is_refused_before_anything(fleet: SchedulerFleet) -> None:
    bad = {"name": "bad", "profile": {"nonsense": 1}}
    with pytest.raises(UsageError, match=r"schedulers: bad: its program refuses .*\(unknown field nonsense\)"):
        await run(fleet, spec(schedulers=[{"name": "a"}, bad]))
    assert not (fleet.folder.parent / "results").exists()


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    fleet = SchedulerFleet(tmp_path, 1)
    fleet.write(SCHEDULER)
    file = fleet.file()
    trials = plan(
        file, EXPERIMENT, spec(schedulers=[{"name": "a"}, {"name": "b"}], loads=["one-group", "taints"], repeats=2)
    )
    turn = [f"load={load} scheduler={name}" for load in ("one-group", "taints") for name in ("a", "b")]
    assert [trial.point for trial in trials] == turn * 2
    with pytest.raises(UsageError, match=r"pods: 300 do not fit 2 nodes of 110 pods \(220\).*wec_nodes=3"):
        plan(file, EXPERIMENT, spec(pods=300))
    with pytest.raises(UsageError, match="has no kube-scheduler on this machine"):
        plan(file.model_copy(update={"components": []}), EXPERIMENT, spec())
    with pytest.raises(UsageError, match="has no WEC"):
        plan(file.model_copy(update={"clusters": []}), EXPERIMENT, spec())
    own = {"name": "mine", "binary": str(fleet.program), "sha256": "0" * 64}
    with pytest.raises(UsageError, match=r"mine: sha256: that of .* is [0-9a-f]{64}, not 0000"):
        plan(file, EXPERIMENT, spec(schedulers=[own]))
    with pytest.raises(UsageError, match="mine: binary: nothing is no absolute path"):
        plan(file, EXPERIMENT, spec(schedulers=[own | {"binary": "nothing"}]))
    right = own | {"sha256": hashlib.sha256(SCHEDULER.encode()).hexdigest()}
    assert len(plan(file, EXPERIMENT, spec(schedulers=[right]))) == 1
