"""kubevirt-density through the whole frame, on a fake API server with KubeVirt, scheduler and kwok played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.study import analyse
from fleet.errors import UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments.kubevirt_density.experiment import EXPERIMENT
from fleet.experiments.kubevirt_density.spec import KubeVirtDensity
from fleet.kube import resources
from fleet.model.fleet_file import FleetFile, PlatformOf
from fleet.platforms.kubevirt import names
from fleet.report.html import page
from fleet.results.folder import RunFolder
from fleet.testing.api_server.store import kind_of
from tests.unit.experiment.plain_fleets import PlainFleet
from tests.unit.experiment.stand_in import ensure, set_status

NODES = 2


class KubeVirtFleet(PlainFleet):
    """One WEC whose VMIs go a phase further at each look."""

    lost = ""
    """A VMI of this name never gets a pod."""

    def __init__(self, folder: Path, wecs: int) -> None:
        super().__init__(folder, wecs)
        self.turns: dict[str, int] = {}
        """Of each VMI by its uid: the nodes are taken in turn, whatever was deleted between two looks."""

    def file(self) -> FleetFile:
        """With the platform, and nodes."""
        platform = PlatformOf(name="kubevirt", version="v1.8.0", wecs=("wec001",))
        return super().file().model_copy(update={"platforms": (platform,), "wec_nodes": NODES})

    def begin(self) -> None:
        """KubeVirt is installed."""
        self.store = self.wecs["wec001"].store
        for resource in (names.KUBEVIRTS, names.VMS, names.VMIS):
            self.store.serve(resource)
        metadata = {"name": names.CR, "namespace": names.NAMESPACE}
        self.store.create(names.KUBEVIRTS, {"metadata": metadata, "spec": {"configuration": {}}})

    def limits(self) -> list[dict[str, Any]]:
        """Every limit that virt-controller was ever given."""
        return [
            entry.after["spec"]["configuration"].get("controllerConfiguration") or {}
            for entry in self.store.since(0)
            if entry.kind == kind_of(names.KUBEVIRTS) and entry.after is not None
        ]

    def act(self) -> None:
        """virt-controller, the scheduler and kwok."""
        for space in self.store.objects(resources.NAMESPACES):
            account = {"metadata": {"name": "default", "namespace": space["metadata"]["name"]}}
            ensure(self.store, resources.SERVICE_ACCOUNTS, account)
        vmis = {item["metadata"]["name"] for item in self.store.objects(names.VMIS)}
        for vm in self.store.objects(names.VMS):
            meta = vm["metadata"]
            if meta["name"] not in vmis:
                own = {"metadata": {"name": meta["name"], "namespace": meta["namespace"], "labels": meta["labels"],
                                    "ownerReferences": [{"uid": meta["uid"]}]}}  # fmt: skip
                ensure(self.store, names.VMIS, own)
        for vmi in self.store.objects(names.VMIS):
            turn = self.turns.setdefault(vmi["metadata"]["uid"], len(self.turns))
            self._further(vmi, f"kwok-{turn % NODES + 1:03d}")

    def _further(self, vmi: Mapping[str, Any], node: str) -> None:
        meta, phase = vmi["metadata"], (vmi.get("status") or {}).get("phase")
        if meta["name"] == self.lost:
            return
        own = {"metadata": {"name": f"virt-launcher-{meta['name']}", "namespace": meta["namespace"],
                            "labels": meta["labels"], "ownerReferences": [{"uid": meta["uid"]}]},
               "spec": {"nodeName": node}}  # fmt: skip
        pod = ensure(self.store, resources.PODS, own)
        if (pod.get("status") or {}).get("phase") != "Running":
            set_status(self.store, resources.PODS, pod["metadata"]["name"], meta["namespace"], {"phase": "Running"})
        after = {None: "Pending", "Pending": "Scheduling", "Scheduling": "Scheduled", "Scheduled": "Running"}
        if phase in after:
            status = {"phase": after[phase], "nodeName": node}
            set_status(self.store, names.VMIS, meta["name"], meta["namespace"], status)
        elif any(vm["metadata"]["name"] == meta["name"] for vm in self.store.objects(names.VMS)):
            ready = {"printableStatus": "Running", "ready": True}
            set_status(self.store, names.VMS, meta["name"], meta["namespace"], ready)


@pytest.fixture
async def fleet(state: Path) -> AsyncIterator[KubeVirtFleet]:
    async with KubeVirtFleet(state, 1) as stand_in:
        yield stand_in


def spec(**fields: Any) -> KubeVirtDensity:
    base = {"experiment": "kubevirt-density", "count": 4, "interval": "5ms", "batch": 3, "primer_wait": "10ms",
            "sample_interval": "1s"}  # fmt: skip
    return KubeVirtDensity.model_validate(base | fields)


async def run(fleet: KubeVirtFleet, chosen: KubeVirtDensity) -> Outcome:
    results = fleet.folder.parent / "results"
    return await Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=Silent()).run()


async def test_vmis_then_vms_every_phase_and_the_five_parts(fleet: KubeVirtFleet) -> None:
    outcome = await run(fleet, spec(qps=[50]))
    study = analyse(RunFolder.open(outcome.folder))
    rows = {(row.stage, row.point): (row.count, row.missing) for row in study.rows}
    vmi, vm = "kind=vmi qps=50", "kind=vm qps=50"
    assert rows["vmi_running", vmi] == rows["vmi_running", vm] == (4, 0)
    assert rows["vmi_due_running", vmi] == (4, 0)
    assert ("vmi_due_running", vm) not in rows  # the driver made VMs there
    assert rows["vm_due_running", vm] == rows["vm_told", vm] == (4, 0)
    assert rows["pod_bound", vmi] == (4, 0)

    tables = {table.name: table.rows for table in study.own.tables}
    assert [row[2:6] for row in tables["spread"]] == [[4, NODES, 2, 2]] * 2
    assert tables["upstream"][0][:2] == [vmi, "vmiCreationToRunningSecondsP50"]
    assert study.own.said[0].startswith("kind=vmi qps=50: 4 of 4 VMIs ran")
    text = page(study)
    for part in ("creation", "scheduling", "management", "monitoring", "clean-up", "kwok", "upstream"):
        assert f'id="{part}"' in text, part
    assert "VMIs per node" in text

    bucket = {"qps": 50.0, "burst": 100}
    limited = {"restClient": {"rateLimiter": {"tokenBucketRateLimiter": bucket}}}
    assert limited in fleet.limits()
    assert fleet.limits()[-1] == {}  # and it was put back
    assert fleet.store.objects(names.VMIS) == fleet.store.objects(names.VMS) == []
    assert fleet.leftovers() == []


async def test_one_that_never_runs_is_missing_and_the_run_partial(fleet: KubeVirtFleet) -> None:
    fleet.lost = "t000-vmi-00002"
    outcome = await run(fleet, spec(kinds=["vmi"], timeouts={"object": "1s"}))
    study = analyse(RunFolder.open(outcome.folder))
    rows = {row.stage: (row.count, row.missing) for row in study.rows}
    assert outcome.verdict == "partial"
    assert rows["vmi_running"] == rows["pod_bound"] == (3, 1)
    assert "1 were lost" in study.own.said[0]


def test_what_cannot_be_held_is_refused_with_the_numbers(tmp_path: Path) -> None:
    file = KubeVirtFleet(tmp_path, 1).file()
    trials = plan(file, EXPERIMENT, spec(kinds=["vm", "vmi"], repeats=2, qps=[5, 10]))
    assert [trial.point for trial in trials[:4]] == [
        "kind=vm qps=5",
        "kind=vmi qps=5",
        "kind=vm qps=10",
        "kind=vmi qps=10",
    ]
    assert len(trials) == 8
    with pytest.raises(UsageError, match=r"300 VMIs and a primer do not fit 2 nodes of 110 pods \(220\).*wec_nodes=3"):
        plan(file, EXPERIMENT, spec(count=300))
    with pytest.raises(UsageError, match=r"has no KubeVirt: fleet up .*platform=kubevirt"):
        plan(file.model_copy(update={"platforms": ()}), EXPERIMENT, spec())
    with pytest.raises(UsageError, match=r"20000 VMIs need about 33.2 GiB, and this machine has"):
        plan(file.model_copy(update={"wec_nodes": 999}), EXPERIMENT, spec(count=20_000))
