"""Experiments with points, over fake API servers and a stand-in of KubeStellar: loads, limits, what comes after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.study import Study, analyse
from fleet.errors import SpecError, UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.reconfigure import Reconfigure
from fleet.experiment.runner import Outcome, Runner
from fleet.experiments.registry import MODELS
from fleet.model.experiment_file import PolicyExperiment
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.stand_in import StandInFleet
from tests.unit.experiment.test_runner import faults, give_service_accounts, impatient, lines

SHORT: Mapping[str, Any] = {
    "repeats": 1, "warmup": 0, "quiet": "200ms", "sample_interval": "1s",
    "workload": {"kind": "configmap", "objects": 2},
    "timeouts": {"settle": "60s", "object": "60s", "clean": "60s"},
}  # fmt: skip


@pytest.fixture
async def fleet(state: Path) -> AsyncIterator[StandInFleet]:
    async with StandInFleet(state, 2) as stand_in:
        yield stand_in


def runner(fleet: StandInFleet, reconfigure: Reconfigure | None = None, **fields: Any) -> Runner:
    chosen = MODELS[fields["experiment"]].model_validate({**SHORT, **fields})
    return built(fleet.file(), fleet, chosen, reconfigure)


def built(file: FleetFile, fleet: StandInFleet, chosen: PolicyExperiment, reconfigure: Reconfigure | None) -> Runner:
    return Runner(
        file,
        fleet.folder,
        impatient(chosen),
        chosen,
        fleet.folder.parent / "results",
        progress=Silent(),
        reconfigure=reconfigure,
    )


def studied(outcome: Outcome) -> Study:
    return analyse(RunFolder.open(outcome.folder))


def wrong(outcome: Outcome) -> list[str]:
    """Why it is not valid, but for a driver that was late on a busy machine."""
    return [reason for reason in faults(outcome) if "could not keep up" not in reason]


def steps(outcome: Outcome) -> list[str]:
    return [line.step for line in lines(outcome) if isinstance(line, events.RunMark) and line.edge == "begin"]


async def test_policies_by_a_schedule_are_watched_on_after_the_load(fleet: StandInFleet) -> None:
    load = {"steppedLoad": {"burstSize": 1, "stepDelay": "50ms"}}
    outcome = await runner(fleet, experiment="policy-scaling", policies=[1, 3], after="300ms", load=load).run()

    assert wrong(outcome) == []
    assert fleet.leftovers() == []
    assert steps(outcome).count("after") == 2
    found = studied(outcome)
    counted = {(row.point, row.stage): row.count for row in found.rows}
    for stage, each in (("downsync", 2 * 2), ("downsync_scheduled", 2 * 2), ("send_lag", 2)):
        assert (counted["policies=1", stage], counted["policies=3", stage]) == (each, 3 * each)
    assert sorted(load.sends for load in found.loads) == [2, 6]
    assert found.recorded.after_seconds >= 2 * 0.3
    assert found.fights == []
    namespaces = {sample.namespace for sample in found.samples if sample.point == "policies=3"}
    assert len(namespaces) == 3


async def test_limits_change_between_the_points_and_are_put_back(fleet: StandInFleet) -> None:
    given: list[float] = []

    async def reconfigure(limits: Mapping[str, float], link: Link | None, serving: int, *_others: object) -> None:
        assert (link, serving) == (None, 1)
        given.append(limits["transport_its_qps"])

    points = [{"qps": 50.0, "burst": 100}, {"qps": 1000.0, "burst": 2000}]
    outcome = await runner(
        fleet, reconfigure, experiment="client-limits", clients=["transport_its"], points=points
    ).run()

    assert wrong(outcome) == []
    assert sorted(given[:-1]) == [50.0, 1000.0]
    assert given[-1] == fleet.file().limits["transport_its_qps"]
    assert steps(outcome).count("reconfigure") == 3
    assert {row.point for row in studied(outcome).rows} == {"qps=50 burst=100", "qps=1000 burst=2000"}


async def test_links_change_between_the_points_and_get_their_own_delay_back(fleet: StandInFleet) -> None:
    given: list[Link | None] = []

    async def reconfigure(limits: Mapping[str, float], link: Link | None, serving: int, *_others: object) -> None:
        assert serving == 1
        assert dict(limits) == fleet.file().limits
        given.append(link)

    fields: dict[str, Any] = {"experiment": "link-latency", "rtts": ["0ms", "20ms"], "rate": "50mbit"}
    with pytest.raises(
        UsageError, match=r"changes the links .* has none: build the fleet with one, `fleet up -e 'wan="
    ):
        runner(fleet, reconfigure, **fields)
    bare = fleet.file()
    linked = bare.model_copy(update={"machines": [m.model_copy(update={"wan": Link()}) for m in bare.machines]})
    chosen = MODELS["link-latency"].model_validate({**SHORT, **fields})
    outcome = await built(linked, fleet, chosen, reconfigure).run()

    assert wrong(outcome) == []
    assert {link.rtt for link in given[:-1] if link is not None} == {0.0, 0.02}
    assert given[-1] is None
    assert len(given) == 3
    found = studied(outcome)
    assert {row.point for row in found.rows} == {"rtt_ms=0", "rtt_ms=20"}
    assert found.run.fleet.machines[0].wan == Link()
    # The stand-in has no link, so its latencies do not grow; what the protocol would require is reported all the same.
    predicted = {row.stage: row.predicted for row in found.roundtrips}
    assert predicted["binding"] == 0.0
    assert predicted["delivery"] is not None
    assert predicted["delivery"] >= 1.5


async def test_policies_are_spread_over_the_wdses_of_each_point(state: Path) -> None:
    given: list[int] = []

    async def reconfigure(limits: Mapping[str, float], link: Link | None, serving: int, *_others: object) -> None:
        assert (link, limits["transport_its_qps"]) == (None, 5)
        given.append(serving)

    fields: dict[str, Any] = {"experiment": "wds-scaling", "policies": 3, "workload": {"kind": "deployment"}}
    async with StandInFleet(state, 2, wdses=2) as fleet:
        with pytest.raises(
            UsageError, match=r"wdses: 3 are requested, the fleet has 2: grow it with `fleet up -e wds_count=3`"
        ):
            runner(fleet, reconfigure, wdses=[1, 3], **fields)
        outcome = await runner(fleet, reconfigure, wdses=[1, 2], **fields).run()
        assert fleet.leftovers() == []

    assert wrong(outcome) == []
    # The stand-in's own is both: nothing is changed for the point of two, and both are back at the end.
    assert given in ([1, 2], [1])
    assert steps(outcome).count("reconfigure") == len(given)
    found = studied(outcome)
    counted = {(row.point, row.stage): (row.count, row.missing) for row in found.rows}
    for point in ("wdses=1", "wdses=2"):
        assert (counted[point, "downsync"], counted[point, "e2e"]) == ((3 * 2, 0), (3, 0))
    used = {(sample.point, sample.policy[-4:]): sample.source for sample in found.samples}
    assert {wds for (point, _), wds in used.items() if point == "wdses=1"} == {"wds1"}
    assert {policy: wds for (point, policy), wds in used.items() if point == "wdses=2"} == {
        "p000": "wds1", "p001": "wds2", "p002": "wds1"
    }  # fmt: skip
    assert [(row.wdses, row.trials) for row in found.sharing] == [(1, 1), (2, 1)]
    assert all(row.downsync_p50 and row.e2e_p50 for row in found.sharing)


async def test_each_wds_may_have_an_its_of_its_own(state: Path) -> None:
    async def reconfigure(limits: Mapping[str, float], link: Link | None, serving: int, *_others: object) -> None:
        raise AssertionError(f"{limits} {link} {serving}: both WDSes are served already")

    fields: dict[str, Any] = {"experiment": "wds-scaling", "policies": 2, "workload": {"kind": "deployment"}}
    async with StandInFleet(state, 2, wdses=2, itses=2) as fleet:
        outcome = await runner(fleet, reconfigure, wdses=[2], **fields).run()
        assert fleet.leftovers() == []

    assert wrong(outcome) == []
    found = studied(outcome)
    counted = {row.stage: (row.count, row.missing) for row in found.rows}
    assert (counted["downsync"], counted["e2e"]) == ((2 * 2, 0), (2, 0))
    works = [one for one in lines(outcome) if isinstance(one, events.HopSeen) and one.hop == "packaged" and one.source]
    seen = {(one.source, one.cluster) for one in works}
    assert seen == {("wds1", "its1"), ("wds2", "its2")}
    assert [(row.wdses, row.itses) for row in found.sharing] == [(2, 2)]


async def test_pods_of_a_long_run_are_deleted_once_they_completed(fleet: StandInFleet) -> None:
    for server in (fleet.wds, *fleet.wecs.values()):
        give_service_accounts(server)
    outcome = await runner(
        fleet,
        experiment="long-run",
        duration="40s",
        compression=20.0,
        load={"steppedLoad": {"burstSize": 1, "stepDelay": "10s"}},
        workload={"kind": "pod", "lifetime": "20s"},
        profiles={"enabled": False},
    ).run()

    assert wrong(outcome) == []
    found = studied(outcome)
    # 40 s at one in 10 s are 4 pods, over 2 WECs: 2 each, 0.5 s apart.
    assert [load.offered for load in found.loads] == [2.0]
    assert {(row.stage, row.count) for row in found.rows if row.stage in {"downsync", "e2e"}} == {
        ("downsync", 4),
        ("e2e", 4),
    }
    marks = {(line.step, line.edge): line.ns for line in lines(outcome) if isinstance(line, events.RunMark)}
    deleted = [
        line.ns
        for line in lines(outcome)
        if isinstance(line, events.WorkloadSeen) and line.type == "DELETED" and line.cluster == fleet.wds.cluster
    ]
    assert len(deleted) == 4
    assert min(deleted) < marks["load", "end"]
    assert {leak.verdict for leak in found.leaks} <= {"too short to tell"}
    assert fleet.leftovers() == []


async def test_limits_that_nobody_can_change_are_refused(fleet: StandInFleet) -> None:
    with pytest.raises(UsageError, match="changes the fleet between its points"):
        runner(fleet, experiment="client-limits")
    assert not (fleet.folder.parent / "results").exists()


async def test_thresholds_may_bound_findings_and_stages_and_nothing_else(fleet: StandInFleet) -> None:
    bound = [{"stage": "fights", "test": "count <= 0"}, {"stage": "send_lag", "test": "p99 < 5ms"}]
    assert runner(fleet, experiment="policy-scaling", thresholds=bound).trials
    with pytest.raises(SpecError, match=r"'fihgts' is no stage; did you mean `fights`"):
        runner(fleet, experiment="policy-scaling", thresholds=[{"stage": "fihgts", "test": "max < 1s"}])
