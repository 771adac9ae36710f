"""Traces replayed on a fake fleet, through the whole frame; the refusals; the arithmetic of what is played."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.compare import compare
from fleet.analysis.study import analyse
from fleet.errors import UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments.replay import played, priorities, sections
from fleet.experiments.replay.analysis import Seen
from fleet.experiments.replay.experiment import EXPERIMENT
from fleet.experiments.replay.spec import Replay
from fleet.kube import resources
from fleet.model.run_names import RunNames
from fleet.model.trace import Header, Owner, Pod
from fleet.report.compare_html import page as compare_page
from fleet.report.html import page
from fleet.results.folder import RunFolder
from fleet.simulators.kwok import stages
from fleet.trace.fidelity import drift
from fleet.trace.file import Trace, write
from fleet.trace.importers.importer import Machine
from fleet.trace.importers.registry import IMPORTERS
from fleet.workload.content import EXIT_CODE_ANNOTATION, LIFETIME_ANNOTATION
from tests.unit.experiment.plain_fleets import OcmFleet, PlainFleet
from tests.unit.experiment.test_runner import give_service_accounts
from tests.unit.experiments.playing_fleet import PlayingFleet

JOB = Owner(kind="Job", name="j1")
WEB = Owner(kind="ReplicaSet", name="web")


def pods() -> list[Pod]:
    return [
        Pod(t=0, key="there", before=True, end="open"),
        Pod(t=0.05, key="a", wait=0.1, life=0.6, end="succeeded", exit=0, owner=JOB, requests={"cpu": "100m"}),
        Pod(t=0.1, key="b", wait=0.1, life=0.5, end="failed", exit=3, owner=JOB, priority=100),
        Pod(t=0.2, key="c", wait=0.1, life=0.4, end="deleted", owner=WEB),
        Pod(t=0.3, key="d", lasted=0.5, end="deleted", owner=WEB),
        Pod(t=0.35, key="e", end="open"),
        Pod(t=0.4, key="f", life=0.3, end="failed"),
    ]


def trace_file(folder: Path, members: list[Pod]) -> Path:
    file = folder / "mine.trace.jsonl"
    header = Header(source="test", pods=len(members), span=1, clock="receipt", complete=True)
    write(file, Trace(header, tuple(members)), force=True)
    return file


@pytest.fixture
async def playing(state: Path) -> AsyncIterator[PlayingFleet]:
    async with PlayingFleet(state, 2) as stand_in:
        yield stand_in


def spec(file: Path, **fields: Any) -> Replay:
    limits = {"settle": "10s", "object": "5s", "clean": "10s"}
    return Replay.model_validate({"experiment": "replay", "trace": str(file), "timeouts": limits, **fields})


async def run(fleet: PlayingFleet, chosen: Replay) -> Outcome:
    results = fleet.folder.parent / "results"
    return await Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=Silent()).run()


def own(outcome: Outcome) -> list[str]:
    """Reasons that are not about a slow machine."""
    slow = ("harness-bound", "raced", "late (p99", "lifetimes are", "in another order")
    return [why for why in outcome.reasons if not any(word in why for word in slow)]


async def test_each_pod_comes_and_ends_as_recorded(playing: PlayingFleet, tmp_path: Path) -> None:
    outcome = await run(playing, spec(trace_file(tmp_path, pods()), clusters="all"))
    study = analyse(RunFolder.open(outcome.folder))
    (row,) = next(table for table in study.own.tables if table.name == "fidelity").rows

    assert own(outcome) == []
    assert row[0:4] == ["t000", 1.0, 7, 7]
    assert row[9] == 4  # lives that the trace knows, of pods that ended: a, b, c, f
    assert row[12:15] == [2, 100.0, 100.0]
    assert {stage.stage: stage.missing for stage in study.rows} == {
        "lag": 0, "arrival": 0, "schedule": 0, "start": 0
    }  # fmt: skip
    assert {sample.cluster for sample in study.samples} == {"wec001", "wec002"}
    assert playing.leftovers() == []
    assert playing.classes == {100}
    assert not [one for wec in playing.wecs.values() for one in wec.store.objects(resources.PRIORITY_CLASSES)]

    again = IMPORTERS["run"].read(outcome.folder, Machine())
    assert {pod.key: pod.end for pod in again.pods} == {
        "there": "deleted", "a": "succeeded", "b": "failed", "c": "deleted", "d": "deleted", "e": "deleted",
        "f": "failed",
    }  # fmt: skip
    found = drift(pods(), again.pods)
    assert "Pods at once, t000, speed 1" in page(study)
    assert (found.pods, found.lost, found.exits) == (7, 0, 1.0)


async def test_two_replays_compare(playing: PlayingFleet, tmp_path: Path) -> None:
    chosen = spec(trace_file(tmp_path, pods()))
    first, second = [analyse(RunFolder.open((await run(playing, chosen)).folder)) for _ in range(2)]
    found = compare(first, second)
    assert found.headline == ("lag", "arrival", "schedule", "start")
    assert {cell.stage for cell in found.cells} == set(found.headline)
    right = {one.column: one.outcome for one in found.figures}
    assert right["exit codes right"] == right["arrivals in order"] == right["seen"] == "no difference"
    assert str(found.cells[0].reason).endswith("10 ms")  # whatever the medians of a few milliseconds are
    assert "Figures of the tables" in compare_page(found)


async def test_a_replay_with_wrong_exit_codes_compares_as_worse(playing: PlayingFleet, tmp_path: Path) -> None:
    chosen = spec(trace_file(tmp_path, pods()))
    first = analyse(RunFolder.open((await run(playing, chosen)).folder))
    playing.wrong_code = True
    found = compare(first, analyse(RunFolder.open((await run(playing, chosen)).folder)))
    assert found.outcome == "worse"
    assert "speed 1 exit codes right (fidelity) is worse: 100 % in A, 50 % in B" in found.reasons


async def test_a_wrong_exit_code_is_in_the_verdict(playing: PlayingFleet, tmp_path: Path) -> None:
    playing.wrong_code = True
    outcome = await run(playing, spec(trace_file(tmp_path, pods())))
    assert outcome.verdict == "partial"
    assert "t000 (speed 1): 1 of 2 exit codes are not those recorded" in outcome.reasons


async def test_owners_become_jobs_and_replica_sets(playing: PlayingFleet, tmp_path: Path) -> None:
    outcome = await run(playing, spec(trace_file(tmp_path, pods()), owners="controllers"))
    folder = RunFolder.open(outcome.folder)
    text = (folder.path / "events.jsonl").read_text()
    assert own(outcome) == []
    assert '"op":"scale"' in text
    assert '"resource":"jobs.batch"' in text
    (row,) = next(table for table in analyse(folder).own.tables if table.name == "fidelity").rows
    assert row[3] == 5  # not the two of the ReplicaSet: nobody knows which of them is which
    assert row[13] == 100.0
    assert playing.leftovers() == []


@pytest.mark.parametrize(
    ("simulator", "fields", "said"),
    [
        ("hollow", {"speeds": [10]}, r"speeds: at 10 times .* lives 2.0 s or less, .* less than 20 s"),
        ("mixed", {"speeds": [1, 2]}, r"speeds: at 2 times .* lives 10.0 s or less"),
        ("none", {}, "no node of this fleet plays pods"),
        ("kwok", {"clusters": 3}, "clusters: 3 are wanted, the fleet has 2 WECs"),
        ("kwok", {"through": "manager"}, "through: the fleet has no manager"),
        ("kwok", {"trace": "no-such"}, "there is no trace 'no-such'"),
    ],
)
def test_what_cannot_be_replayed_is_refused(tmp_path: Path, simulator: str, fields: dict[str, Any], said: str) -> None:
    file = trace_file(tmp_path, [Pod(t=n, key=f"p{n}", life=20, end="succeeded", exit=0) for n in range(20)])
    there = PlainFleet(tmp_path, 2).file().model_copy(update={"node_simulator": simulator})
    with pytest.raises(UsageError, match=said):
        plan(there, EXPERIMENT, spec(file, **fields))


def test_more_pods_than_the_nodes_hold_and_resources_that_no_node_has_are_refused(tmp_path: Path) -> None:
    there = PlainFleet(tmp_path, 1).file()
    many = trace_file(tmp_path, [Pod(t=0, key=f"p{n}", end="open") for n in range(111)])
    with pytest.raises(UsageError, match="111 pods are there at once, 1 WECs with 1 nodes hold 110"):
        plan(there, EXPERIMENT, spec(many))
    gpus = trace_file(tmp_path, [Pod(t=0, key="p", end="open", requests={"nvidia.com/gpu": "1"})])
    with pytest.raises(UsageError, match=r"requests: 1 pods request nvidia.com/gpu"):
        plan(there, EXPERIMENT, spec(gpus))
    assert plan(there, EXPERIMENT, spec(gpus, requests="none"))


def test_kwok_plays_a_pod_for_its_recorded_time_at_the_speed() -> None:
    assert (LIFETIME_ANNOTATION, EXIT_CODE_ANNOTATION) == (stages.LIFETIME, stages.EXIT_CODE)
    one, failed = pods()[1], pods()[6]
    (entry, other) = played.entries([one, failed], "t004", 2.0, ["w1", "w2"])
    assert (entry.due, entry.wec, other.wec) == (0.025, "w1", "w2")
    assert played.how_it_ends(entry, 2.0) == {
        "fleet-testbed/entry": "a", LIFETIME_ANNOTATION: "0.300s", EXIT_CODE_ANNOTATION: "0"
    }  # fmt: skip
    assert played.how_it_ends(other, 1.0)[EXIT_CODE_ANNOTATION] == "1"  # it failed, nobody knows with what
    assert played.number_of(entry.name) == 0


def test_pods_of_one_cluster_and_of_one_owner_go_to_one_wec() -> None:
    members = [
        Pod(t=0, key="1", cluster="x", end="open"),
        Pod(t=1, key="2", cluster="y", end="open"),
        Pod(t=2, key="3", cluster="x", end="open"),
        Pod(t=3, key="4", owner=JOB, end="open"),
        Pod(t=4, key="5", owner=JOB, end="open"),
    ]
    assert [one.wec for one in played.entries(members, "t000", 1, ["w1", "w2"])] == ["w1", "w2", "w1", "w1", "w1"]


def test_the_curves_of_pods_at_once() -> None:
    pods_ = [Pod(t=0, key="a", wait=1, life=3, end="deleted"), Pod(t=2, key="b", end="open")]
    assert sections.recorded(pods_, 2.0) == ([0.0, 1.0, 2.0], [1, 2, 1])
    seen = [Seen("a", "t000", {"created": 5_000_000_000, "ended": 7_000_000_000}),
            Seen("b", "t000", {"created": 6_000_000_000})]  # fmt: skip
    assert sections.played(seen) == ([0.0, 1.0, 2.0], [1, 2, 1])


async def test_through_a_manager_the_pods_reach_their_wecs(tmp_path: Path, state: Path) -> None:
    members = [Pod(t=n / 20, key=f"p{n}", life=5, end="succeeded", cluster=f"c{n % 2}") for n in range(4)]
    chosen = spec(trace_file(tmp_path, members), clusters="all", through="manager")
    async with OcmFleet(state, 2) as there:  # its pods live for no time at all
        for server in there.servers:
            give_service_accounts(server)
        outcome = await Runner(there.file(), state, EXPERIMENT, chosen, tmp_path / "results", progress=Silent()).run()
        left = there.leftovers()
    study = analyse(RunFolder.open(outcome.folder))
    (row,) = next(table for table in study.own.tables if table.name == "fidelity").rows
    assert row[2:4] == [4, 4]
    assert {sample.cluster for sample in study.samples if sample.stage == "arrival"} == {"wec001", "wec002"}
    assert left == []


def test_priorities_become_classes() -> None:
    names = RunNames("20261128T000000Z-0123abcd")
    members = [Pod(t=0, key=str(n), end="open", priority=n) for n in (0, 7, -7, 2_000_001_000)]
    assert priorities.classes([*members, Pod(t=0, key="x", end="open")], names) == {
        7: "fleet-run-0123abcd-p7", -7: "fleet-run-0123abcd-m7", 2_000_001_000: "system-node-critical"
    }  # fmt: skip
    wishes = played.Wishes(classes={7: "seven"})
    assert played.spec(members[1], wishes)["priorityClassName"] == "seven"
    assert "priorityClassName" not in played.spec(members[0], wishes)
