"""The same runner under the other managers, over fake API servers: plain OCM, and none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.study import analyse
from fleet.errors import FleetError, UsageError
from fleet.experiment.cleanup import clean_fleet
from fleet.experiment.progress import Silent
from fleet.experiment.reconfigure import Reconfigure
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments import registry
from fleet.kube import resources
from fleet.model.fleet_file import FleetFile
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.plain_fleets import OcmFleet, PlainFleet
from tests.unit.experiment.test_runner import faults, give_service_accounts
from tests.unit.model.fleets import LIMITS

SHORT: dict[str, Any] = {
    "repeats": 1, "warmup": 0, "quiet": "200ms", "sample_interval": "1s",
    "timeouts": {"settle": "20s", "object": "20s", "clean": "20s"},
}  # fmt: skip


@pytest.fixture
async def ocm(tmp_path: Path) -> AsyncIterator[OcmFleet]:
    (tmp_path / "state").mkdir(mode=0o700)
    async with OcmFleet(tmp_path / "state", 2) as fleet:
        yield fleet


@pytest.fixture
async def none(tmp_path: Path) -> AsyncIterator[PlainFleet]:
    (tmp_path / "state").mkdir(mode=0o700)
    async with PlainFleet(tmp_path / "state", 2) as fleet:
        yield fleet


def spec(experiment: str, **fields: Any) -> Any:
    return registry.MODELS[experiment].model_validate({"experiment": experiment, **SHORT, **fields})


async def ran(fleet: PlainFleet, chosen: Any, *, keep: bool = False, reconfigure: Reconfigure | None = None) -> Outcome:
    results, experiment = fleet.folder.parent / "results", registry.of(chosen)
    run = Runner(
        fleet.file(), fleet.folder, experiment, chosen, results, progress=Silent(), keep=keep, reconfigure=reconfigure
    )
    return await run.run()


def counted(outcome: Outcome) -> dict[tuple[str, str], tuple[int, int]]:
    return {(row.layout, row.stage): (row.count, row.missing) for row in analyse(RunFolder.open(outcome.folder)).rows}


@pytest.mark.parametrize("kind", ["deployment", "pod", "configmap"])
async def test_plain_ocm_does_both_layouts_and_nothing_is_left(ocm: OcmFleet, kind: str) -> None:
    for server in ocm.wecs.values():
        give_service_accounts(server)
    outcome = await ran(ocm, spec("wec-scaling", wecs="fleet", workload={"kind": kind, "objects": 3}))

    assert faults(outcome) == []
    assert ocm.leftovers() == []
    rows = counted(outcome)
    assert rows["one-to-one", "downsync"] == (6, 0)
    assert rows["one-to-many", "downsync"] == (6, 0)
    if kind != "configmap":
        assert rows["one-to-many", "report"] == (6, 0)
        assert rows["one-to-many", "e2e"] == (3, 0)
    posted = [seen.path.rsplit("/", 1)[-1] for seen in ocm.hub.requests if seen.method == "POST"]
    assert posted[:2] == ["namespaces", "managedclustersetbindings"]
    assert (posted.count("placements"), posted.count("manifestworkreplicasets")) == (2 + 1, 6 + 3)


async def test_clean_removes_what_a_killed_run_left_under_ocm(ocm: OcmFleet) -> None:
    labels = {"fleet-testbed/run": "20260101T000000Z-killed00"}
    hub = ocm.hub.store
    for store in (hub, *(server.store for server in ocm.wecs.values())):
        store.create(resources.NAMESPACES, {"metadata": {"name": "fleet-run-killed00", "labels": labels}})
    place = {"metadata": {"name": "p", "namespace": "fleet-run-killed00", "labels": labels}, "spec": {"predicates": []}}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "x", "labels": labels}}
    template = {"workload": {"manifests": [manifest]}}
    held = {"placementRefs": [{"name": "p"}], "manifestWorkTemplate": template}
    hub.create(resources.MANIFEST_WORK_REPLICA_SETS, {**place, "metadata": {**place["metadata"], "name": "s"},
               "spec": held}, "fleet-run-killed00")  # fmt: skip
    hub.create(resources.PLACEMENTS, place, "fleet-run-killed00")

    with pytest.raises(FleetError, match="1 Placements of an earlier run are still there"):
        await ran(ocm, spec("wec-scaling", wecs="fleet"))
    report = await clean_fleet(ocm.file(), None, timeout=20)

    assert report.clean, report.left
    assert {(cluster, resource.partition(".")[0]) for cluster, resource, _ in report.removed} == {
        ("hub1", "manifestworkreplicasets"), ("hub1", "placements"), ("hub1", "namespaces"), ("wec001", "namespaces"),
        ("wec002", "namespaces"),
    }  # fmt: skip
    assert ocm.leftovers() == []


@pytest.mark.parametrize("kind", ["deployment", "configmap"])
async def test_without_a_manager_the_driver_writes_to_each_wec(none: PlainFleet, kind: str) -> None:
    outcome = await ran(none, spec("wec-scaling", layouts=["one-to-one"], workload={"kind": kind, "objects": 2}))

    assert faults(outcome) == []
    assert none.leftovers() == []
    study = analyse(RunFolder.open(outcome.folder))
    sources = {sample.source for sample in study.samples}
    assert sources == {"wec001", "wec002"}
    rows = {(row.wecs, row.stage): (row.count, row.missing) for row in study.rows}
    if kind == "deployment":
        assert (rows[1, "workload"], rows[2, "workload"]) == ((2, 0), (4, 0))
    assert {stage for _, stage in rows} <= {"downsync", "workload", "downsync_last", "downsync_spread"}


@pytest.mark.parametrize("fleet_class", [OcmFleet, PlainFleet])
async def test_pods_of_a_long_run_are_deleted_once_they_completed(
    tmp_path: Path, fleet_class: type[PlainFleet]
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    chosen = spec(
        "long-run",
        duration="40s",
        compression=20.0,
        load={"steppedLoad": {"burstSize": 1, "stepDelay": "10s"}},
        workload={"kind": "pod", "lifetime": "20s"},
        profiles={"enabled": False},
    )
    chosen = chosen.model_copy(update={"repeats": 1, "warmup": 0})
    async with fleet_class(tmp_path / "state", 2) as fleet:
        for server in fleet.wecs.values():
            give_service_accounts(server)
        outcome = await ran(fleet, chosen)
        assert fleet.leftovers() == []

    assert faults(outcome) == []
    told = list(RunFolder.open(outcome.folder).events())
    marks = {(line.step, line.edge): line.ns for line in told if isinstance(line, events.RunMark)}
    gone = [line.ns for line in told if isinstance(line, events.WorkloadSeen) and line.type == "DELETED"]
    assert len(gone) == 4
    assert min(gone) < marks["load", "end"]


async def test_without_a_manager_an_earlier_run_is_seen_in_the_wecs_and_cleaned(none: PlainFleet) -> None:
    labels = {"fleet-testbed/run": "20260101T000000Z-killed00"}
    store = none.wecs["wec002"].store
    store.create(resources.NAMESPACES, {"metadata": {"name": "fleet-run-killed00", "labels": labels}})
    with pytest.raises(FleetError, match="wec002: 1 namespaces of an earlier run are still there"):
        await ran(none, spec("wec-scaling", layouts=["one-to-one"]))
    assert (await clean_fleet(none.file(), None, timeout=20)).clean
    assert none.leftovers() == []


@pytest.mark.parametrize(
    ("manager", "experiment", "fields", "said"),
    [
        ("none", "policy-scaling", {}, "cannot be done with manager none: it is about policies"),
        ("none", "client-limits", {}, "cannot be done with manager none: it sweeps the client limits of a manager"),
        ("none", "link-latency", {}, "cannot be done with manager none: it sweeps the links between WECs and hub"),
        ("none", "wds-scaling", {}, "cannot be done with manager none: it spreads policies over several sources"),
        ("ocm", "wds-scaling", {}, "cannot be done with manager ocm: it spreads policies over several sources"),
        ("none", "wec-scaling", {}, "layouts: manager none cannot do one-to-many: write --layout one-to-one"),
        ("ocm", "client-limits", {"clients": ["transport_its"]}, "clients.0: 'transport_its' is no client of ocm"),
    ],
)
def test_what_a_manager_cannot_do_is_refused_with_the_reason(
    tmp_path: Path, manager: str, experiment: str, fields: dict[str, Any], said: str
) -> None:
    fleet: FleetFile = (OcmFleet if manager == "ocm" else PlainFleet)(tmp_path, 2).file()
    chosen = spec(experiment, **fields)
    with pytest.raises(UsageError) as caught:
        plan(fleet, registry.of(chosen), chosen)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_client_limits_sweeps_what_every_object_passes_unless_told_otherwise(tmp_path: Path) -> None:
    limits = {**LIMITS, "ocm_work_manager_qps": 50, "ocm_work_manager_burst": 100}
    fleet = OcmFleet(tmp_path, 2).file().model_copy(update={"limits": limits})
    chosen = spec("client-limits")
    swept = {name for trial in plan(fleet, registry.of(chosen), chosen) for name in trial.limits}
    assert swept == {"ocm_work_manager_qps", "ocm_work_manager_burst"}


async def test_objects_are_created_changed_and_deleted_under_ocm(ocm: OcmFleet) -> None:
    for server in ocm.wecs.values():
        give_service_accounts(server)
    outcome = await ran(ocm, spec("lifecycle", wecs="fleet", workload={"objects": 2}))

    assert faults(outcome) == []
    assert ocm.leftovers() == []
    rows = counted(outcome)
    for layout in ("one-to-one", "one-to-many"):
        assert [rows[layout, stage] for stage in ("downsync", "update", "removal")] == [(4, 0)] * 3
    assert rows["one-to-many", "e2e"] == (2, 0)  # an update later is no part of the way of the creation


async def test_objects_are_created_changed_and_deleted(none: PlainFleet) -> None:
    outcome = await ran(none, spec("lifecycle", layouts=["one-to-one"], wecs="fleet", workload={"objects": 3}))

    assert faults(outcome) == []
    assert none.leftovers() == []
    rows = counted(outcome)
    assert [rows["one-to-one", stage] for stage in ("downsync", "update", "removal")] == [(6, 0)] * 3
    study = analyse(RunFolder.open(outcome.folder))
    ends = {(s.stage, s.name, s.cluster): s.end_ns or 0 for s in study.samples}
    for update in (sample for sample in study.samples if sample.stage == "update"):
        start, end = update.start_ns or 0, update.end_ns or 0
        created, removed = (ends[stage, update.name, update.cluster] for stage in ("downsync", "removal"))
        assert 0 < created < start < end < removed
    assert study.own.said[0].startswith("At one-to-one, 2 WECs, until it was in force in a WEC, a new object took")


async def test_a_change_that_does_not_arrive_is_missing(ocm: OcmFleet) -> None:
    ocm.frozen = True
    for server in ocm.wecs.values():
        give_service_accounts(server)
    short = {**SHORT["timeouts"], "object": "2s"}
    outcome = await ran(ocm, spec("lifecycle", layouts=["one-to-many"], wecs="fleet", timeouts=short))

    study = analyse(RunFolder.open(outcome.folder))
    rows = {row.stage: (row.count, row.missing) for row in study.rows}
    assert (rows["downsync"], rows["update"], rows["removal"]) == ((2, 0), (0, 2), (2, 0))
    assert study.verdict.status == "partial"
    assert any("update of 2 of 2 not seen within 2 s" in anomaly.text for anomaly in study.recorded.anomalies)
    assert ocm.leftovers() == []
