"""The whole runner over fake API servers and a stand-in of KubeStellar."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import FleetError, SpecError, UsageError
from fleet.experiment.cleanup import clean_fleet
from fleet.experiment.definition import Experiment
from fleet.experiment.distribution import Distribution
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments import registry
from fleet.experiments.wec_scaling import WecScaling
from fleet.kube import resources
from fleet.model.experiment_file import ExperimentFile
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.stand_in import StandInFleet

HOLD_BACK = 0.05


def spec(**fields: Any) -> WecScaling:
    base = {
        "experiment": "wec-scaling",
        "wecs": [1, 3],
        "repeats": 1,
        "warmup": 1,
        "quiet": "200ms",
        "sample_interval": "1s",
        "timeouts": {"settle": "10s", "object": "10s", "clean": "10s"},
    }
    return WecScaling.model_validate(base | fields)


@pytest.fixture
async def fleet(state: Path) -> AsyncIterator[StandInFleet]:
    async with StandInFleet(state, 3) as stand_in:
        yield stand_in


def impatient(chosen: ExperimentFile) -> Experiment:
    """The experiment, for a stand-in that holds nothing back for seconds."""
    found = registry.of(chosen)
    assert isinstance(found, Distribution)
    return replace(found, hold_back=HOLD_BACK)


def runner(fleet: StandInFleet, chosen: WecScaling, progress: Any = None, *, keep: bool = False) -> Runner:
    results = fleet.folder.parent / "results"
    return Runner(
        fleet.file(),
        fleet.folder,
        impatient(chosen),
        chosen,
        results,
        progress=progress or Silent(),
        keep=keep,
    )


def lines(outcome: Outcome) -> list[events.Line]:
    return list(RunFolder.open(outcome.folder).events())


def faults(outcome: Outcome) -> list[str]:
    """Why it is not valid, but for what a late loop does: here all clusters and the driver share one."""
    late = ("harness-bound", "two watches raced", "the driver could not keep up")
    return [reason for reason in outcome.reasons if not any(words in reason for words in late)]


class Tripwire(Silent):
    """Does something when a step of a trial begins, once."""

    def __init__(self, step: str, action: Any, *, trial: int = 1) -> None:
        self.wanted, self.at, self.action = step, trial, action
        self.number = 0

    def trial(self, number: int, text: str) -> None:  # noqa: ARG002
        self.number = number

    def step(self, name: str) -> None:
        if name == self.wanted and self.number == self.at and self.action is not None:
            action, self.action = self.action, None
            action()


@pytest.mark.parametrize("kind", ["deployment", "pod", "configmap"])
async def test_a_whole_run_is_valid_and_leaves_nothing(fleet: StandInFleet, kind: str) -> None:
    for server in (fleet.wds, *fleet.wecs.values()):
        give_service_accounts(server)
    outcome = await runner(fleet, spec(workload={"kind": kind, "objects": 2}, wecs=[3])).run()

    assert faults(outcome) == []
    assert outcome.exit_code == (0 if outcome.verdict == "valid" else 4)
    record = RunFolder.open(outcome.folder).read_run()
    assert (record.status, tuple(record.reasons)) == (outcome.verdict, outcome.reasons)
    assert record.ended is not None
    assert record.driver.watches == 2 + 2 + 2 * 3
    told = lines(outcome)
    planned = [line for line in told if isinstance(line, events.Planned)]
    assert len(planned) == 2 * (3 * 2 + 2)  # warm-up and repeat; 3 policies of 2 objects, 1 policy of 2
    sent = [line for line in told if isinstance(line, events.Sent)]
    assert [line.code for line in sent] == [201] * len(planned)
    assert {line.op for line in sent} == {line.op for line in planned}
    assert fleet.leftovers() == []


def give_service_accounts(server: Any) -> None:
    """What the service account controller does, beforehand: the fake server takes a namespaced object without one."""
    original = server.store.create

    def create(resource: Any, obj: Any, namespace: str | None = None) -> Any:
        made = original(resource, obj, namespace)
        if resource == resources.NAMESPACES:
            original(resources.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, made["metadata"]["name"])
        return made

    server.store.create = create


async def test_steps_come_in_their_order_and_policies_are_settled_before_the_load(fleet: StandInFleet) -> None:
    outcome = await runner(fleet, spec(wecs=[3], layouts=["one-to-many"])).run()

    begun = [
        (line.trial, line.step) for line in lines(outcome) if isinstance(line, events.RunMark) and line.edge == "begin"
    ]
    order = ["announce", "apply", "settle", "load", "drain", "quiet", "clean"]
    trials = [(trial, step) for trial in ("t000", "t001") for step in order]
    assert begun == [("", "prepare"), *trials, ("", "clean-up")]
    writes = [(seen.method, seen.path.rsplit("/", 1)[-1]) for seen in fleet.wds.requests if seen.method == "POST"]
    assert writes == [
        ("POST", "namespaces"),
        ("POST", "bindingpolicies"),
        ("POST", "deployments"),
        ("POST", "deployments"),
    ]


async def test_a_wec_that_dies_during_the_load_does_not_stop_the_run(fleet: StandInFleet) -> None:
    tasks = []

    async def cut() -> None:
        await fleet.stop_wec("wec002")
        await asyncio.sleep(1.5)
        await fleet.start_wec("wec002")

    wire = Tripwire("load", lambda: tasks.append(asyncio.create_task(cut())))
    outcome = await runner(fleet, spec(wecs=[3], layouts=["one-to-many"], warmup=0), wire).run()
    await asyncio.gather(*tasks)

    assert outcome.verdict == "partial"
    assert outcome.exit_code == 4
    assert any(reason.startswith("1 cluster did not answer for a while (wec002)") for reason in outcome.reasons)
    states = [(line.cluster, line.state) for line in lines(outcome) if isinstance(line, events.ClusterState)]
    assert states == [("wec002", "down"), ("wec002", "up")]
    assert fleet.leftovers() == []


async def test_what_never_becomes_ready_is_missing_not_waited_for_for_ever(fleet: StandInFleet) -> None:
    fleet.silent.add("wec003")
    limits = {"settle": "10s", "object": "1s", "clean": "10s"}
    outcome = await runner(fleet, spec(wecs=[3], layouts=["one-to-one"], warmup=0, timeouts=limits)).run()

    assert outcome.verdict == "partial"
    assert "samples are missing" in outcome.reasons[0]
    (anomaly,) = [line for line in lines(outcome) if isinstance(line, events.Anomaly) and line.what == "incomplete"]
    assert anomaly.text == "not complete within 1 s: ready 2/3, reported 2/3, finalized 2/3"
    assert fleet.leftovers() == []


async def test_policies_that_are_never_bound_end_the_run_with_the_reason(fleet: StandInFleet) -> None:
    fleet.stuck = True
    limits = {"settle": "1s", "object": "1s", "clean": "10s"}
    outcome = await runner(fleet, spec(wecs=[1], timeouts=limits)).run()

    assert outcome.verdict == "invalid"
    assert any("1 of 1 policies do not resolve to their WECs within 1 s" in r for r in outcome.reasons)
    assert outcome.exit_code == 4
    assert fleet.leftovers() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_saves_what_was_measured_and_cleans(
    fleet: StandInFleet, number: signal.Signals, code: int
) -> None:
    wire = Tripwire("drain", lambda: signal.raise_signal(number), trial=2)
    outcome = await runner(fleet, spec(wecs=[2], warmup=0, repeats=2, layouts=["one-to-one"]), wire).run()

    assert outcome.exit_code == code
    assert outcome.verdict == "partial"
    assert outcome.reasons[0] == f"interrupted by {number.name}"
    assert RunFolder.open(outcome.folder).read_run().interrupted == number.name
    assert fleet.leftovers() == []


async def test_a_signal_while_the_fleet_is_looked_at_ends_the_run_before_it_sends_anything(fleet: StandInFleet) -> None:
    fleet.its.fail.delay_seconds = 1.0
    loop = asyncio.get_running_loop()
    loop.call_later(0.5, signal.raise_signal, signal.SIGTERM)
    outcome = await runner(fleet, spec(wecs=[2])).run()

    assert outcome.exit_code == 143
    assert outcome.reasons[0] == "no counted sample was measured"
    assert "interrupted by SIGTERM" in outcome.reasons
    told = lines(outcome)
    assert {line.step for line in told if isinstance(line, events.RunMark)} == {"clean-up"}
    assert [line for line in told if isinstance(line, events.Sent)] == []
    assert fleet.leftovers() == []


async def test_a_wec_that_refuses_the_namespace_ends_the_run_with_the_reason(fleet: StandInFleet) -> None:
    fleet.wecs["wec001"].fail.only = "namespaces"
    fleet.wecs["wec001"].fail.status_403 = 1
    outcome = await runner(fleet, spec(wecs=[2])).run()

    assert outcome.exit_code == 4
    assert any(reason.startswith("ended early: wec001: ") for reason in outcome.reasons), outcome.reasons
    assert fleet.leftovers() == []


async def test_a_namespace_whose_answer_was_lost_is_taken_as_made(fleet: StandInFleet) -> None:
    """The store has it, the client never heard: the next attempt is answered that the name is taken."""
    server = fleet.wecs["wec001"]
    original = server.store.create

    def create(resource: Any, obj: Any, namespace: str | None = None) -> Any:
        made = original(resource, obj, namespace)
        if resource == resources.NAMESPACES:
            server.store.create = original
            raise ConnectionResetError
        return made

    server.store.create = create
    outcome = await runner(fleet, spec(wecs=[2], workload={"kind": "configmap"})).run()

    assert not [reason for reason in outcome.reasons if "ended early" in reason]
    assert fleet.leftovers() == []


async def test_a_second_sigint_leaves_at_once_and_clean_removes_the_rest(fleet: StandInFleet) -> None:
    notes: list[str] = []

    class Twice(Tripwire):
        def note(self, text: str) -> None:
            notes.append(text)

    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    wire = Twice("drain", twice)
    outcome = await runner(fleet, spec(wecs=[2]), wire).run()

    assert outcome.exit_code == 130
    assert notes == [f"left in the clusters; remove it with: fleet experiment clean --run {outcome.folder.name}"]
    assert fleet.leftovers() != []
    with pytest.raises(FleetError, match="fleet experiment clean"):
        await runner(fleet, spec(wecs=[2])).run()

    report = await clean_fleet(fleet.file(), outcome.folder.name, timeout=10)

    assert report.left == ()
    assert fleet.leftovers() == []


async def test_clean_deletes_works_whose_binding_is_gone(fleet: StandInFleet) -> None:
    outcome = await runner(fleet, spec(wecs=[1], layouts=["one-to-one"], warmup=0), keep=True).run()
    assert faults(outcome) == []
    assert fleet.leftovers() != []
    manifest = {"metadata": {"name": "x", "namespace": "n", "labels": {"fleet-testbed/run": outcome.folder.name}}}
    fleet.offline.add("wec001")  # so that the stand-in does not delete it
    label = {"transport.kubestellar.io/originWdsName": "wds1"}
    label["transport.kubestellar.io/originOwnerReferenceBindingKey"] = "gone"
    fleet.its.store.create(
        resources.MANIFEST_WORKS,
        {
            "metadata": {"name": "orphan", "namespace": "wec001", "labels": label},
            "spec": {"workload": {"manifests": [manifest]}},
        },
    )

    report = await clean_fleet(fleet.file(), None, timeout=2)

    assert report.left == ()
    assert ("its1", "manifestworks.work.open-cluster-management.io", 1) in report.removed


async def test_a_restarted_its_loses_nothing(fleet: StandInFleet) -> None:
    tasks = []

    async def restart() -> None:
        await fleet.its.stop()
        await asyncio.sleep(0.3)
        await fleet.its.start()

    wire = Tripwire("drain", lambda: tasks.append(asyncio.create_task(restart())))
    outcome = await runner(fleet, spec(wecs=[3], warmup=0), wire).run()
    await asyncio.gather(*tasks)

    assert not [reason for reason in outcome.reasons if "missing" in reason]
    assert fleet.leftovers() == []


async def test_a_wec_that_is_not_available_is_refused_and_nothing_is_changed(fleet: StandInFleet) -> None:
    lost = {"conditions": [{"type": "ManagedClusterConditionAvailable", "status": "Unknown"}]}
    fleet.its.store.update(resources.MANAGED_CLUSTERS, "wec002", None, lambda old: {**old, "status": lost})

    with pytest.raises(FleetError, match=r"1 of 3 WECs are not registered and Available: wec002"):
        await runner(fleet, spec()).run()

    assert not (fleet.folder.parent / "results").exists()
    assert [seen.method for seen in fleet.wds.requests if seen.method != "GET"] == []


async def test_two_runs_at_once_are_refused_with_the_holder(fleet: StandInFleet) -> None:
    held: list[BaseException] = []

    async def second() -> None:
        try:
            await runner(fleet, spec(name="second")).run()
        except FleetError as error:
            held.append(error)

    tasks = []
    wire = Tripwire("settle", lambda: tasks.append(asyncio.create_task(second())))
    await runner(fleet, spec(wecs=[1], warmup=0), wire).run()
    await asyncio.gather(*tasks)

    assert len(held) == 1
    assert "fleet experiment run wec-scaling (process " in str(held[0])


def test_a_sweep_larger_than_the_fleet_names_the_field_and_the_numbers(tmp_path: Path) -> None:
    fleet = StandInFleet(tmp_path, 2)
    with pytest.raises(UsageError, match=r"wecs.*5.*2"):
        plan(fleet.file(), impatient(spec()), spec(wecs=[1, 5]))


def test_a_quiet_shorter_than_twice_the_hold_back_is_refused(tmp_path: Path) -> None:
    fleet = StandInFleet(tmp_path, 3)
    with pytest.raises(SpecError, match=r"quiet: 4 s is not more than twice"):
        plan(fleet.file(), registry.EXPERIMENTS["wec-scaling"], spec(quiet="4s"))
