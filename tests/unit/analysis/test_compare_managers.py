"""Two managers against each other: what is judged, what only stands side by side, and why."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fleet.analysis.compare import Comparison, compare, cost_rows, limits_class
from fleet.analysis.study import Study, analyse
from fleet.cli.comparison_view import document, lines
from fleet.cli.console import ink_for
from fleet.model.manager_record import ManagerRecord, StatusContract
from fleet.results.format1_manager import MANAGER
from fleet.results.run import RunRecord
from tests.unit.analysis.simulator import Hops, Simulator
from tests.unit.model.fleets import LIMITS
from tests.unit.report.made import run_record, weighed, write_run

assert MANAGER.status is not None
CONTRACT = StatusContract(summary="Counts.", poll_seconds=10, aggregations=MANAGER.status.aggregations)
OTHER = MANAGER.model_copy(update={"name": "other", "title": "Other", "status": CONTRACT})


def study(root: Path, manager: ManagerRecord = MANAGER, *, limits: dict[str, float] | None = None) -> Study:
    sim = Simulator(seed=3, hops=Hops(per_wec=10 if manager is MANAGER else 1000))
    for layout in ("one-to-one", "one-to-many"):
        for repeat in range(3):
            sim.trial(layout, [f"wec{number:03d}" for number in range(1, 11)], repeat=repeat)
    made: RunRecord = run_record("x", 10)
    fleet = made.fleet.model_copy(update={"limits": {**made.fleet.limits, **(limits or {})}})
    return analyse(write_run(root, weighed(sim.out.ordered()), made.with_(manager=manager, fleet=fleet)))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare(study(tmp_path_factory.mktemp("a")), study(tmp_path_factory.mktemp("b"), OTHER))


def outcome(comparison: Comparison, stage: str) -> set[str]:
    return {cell.outcome for cell in comparison.cells if cell.stage == stage}


def test_arrival_is_judged_and_what_differs_by_promise_is_not(found: Comparison) -> None:
    assert found.outcome == "worse"
    assert "worse" in outcome(found, "downsync")
    for stage in ("e2e", "status"):
        assert outcome(found, stage) == {"not judged"}
    assert any("promise different things" in reason for reason in found.reasons)


def test_a_stage_of_one_manager_is_in_no_column_with_another_s(found: Comparison) -> None:
    assert {cell.stage for cell in found.cells} == {
        "downsync", "downsync_last", "downsync_spread", "workload", "status", "e2e",
    }  # fmt: skip


def test_both_promises_are_printed(found: Comparison) -> None:
    one, two = found.contracts
    assert one.startswith("A, KubeStellar: Finalized: ")
    assert two == "B, Other: Counts. Statuses are polled every 10 s."
    text = " ".join(lines(found, ink_for(io.StringIO())).split())
    assert "B, Other: Counts." in text
    assert "CPU s of the manager and its agents" in text
    assert document(found)["contracts"] == [one, two]


def test_costs_are_per_object_and_wec(found: Comparison) -> None:
    rows = {(name, str(setting)): (a, b) for name, setting, a, b in cost_rows(found)}
    a, _ = rows["requests to the hub", "one-to-many, 10 WECs"]
    trials = [plan for plan in found.a.recorded.trials if plan.layout == "one-to-many"]
    assert all(found.a.recorded.copies[plan.trial] == 10 for plan in trials)
    assert a is not None
    assert a > 0
    cpu, _ = rows["CPU s of the manager and its agents", "one-to-many, 10 WECs"]
    servers, _ = rows["CPU s of the hub's API servers and stores", "one-to-many, 10 WECs"]
    assert cpu is not None
    assert servers is not None
    assert servers > cpu > 0  # by the simulator's programs


def test_limits_of_another_class_give_no_verdict_at_all(tmp_path: Path) -> None:
    raised = {name: 1000.0 for name in LIMITS if name.endswith("_qps")}
    other = study(tmp_path / "b", OTHER, limits=raised)
    assert limits_class(other) == "changed"
    found = compare(study(tmp_path / "a"), other)
    assert found.outcome == "not judged"
    assert {cell.outcome for cell in found.cells} == {"not judged"}
    assert "the client limits of A are default, those of B changed" in found.reasons[0]
    assert compare(other, other).outcome == "no difference"
