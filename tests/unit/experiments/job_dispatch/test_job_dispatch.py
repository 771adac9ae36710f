"""job-dispatch: its plan, queues and marks, and the stages and rates of Jobs. Live: tests/live/test_managers.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.errors import UsageError
from fleet.experiment.runner import plan
from fleet.experiments import registry
from fleet.experiments.job_dispatch.analysis import COLUMNS, findings
from fleet.experiments.job_dispatch.experiment import EXPERIMENT
from fleet.experiments.job_dispatch.marks import ADMITTED, FINISHED, RESERVED, STARTED, of_job, of_workload
from fleet.experiments.job_dispatch.queues import Queues, split
from fleet.experiments.job_dispatch.spec import JobDispatch
from fleet.managers import registry as managers
from fleet.model.fleet_file import FleetFile, ManagerOf
from fleet.results.events import MarkSeen, Requested, TrialPlan
from tests.unit.report.made import fleet_file, run_record

SECOND = 1_000_000_000
HUB = "its1"
"""The hub of the made fleet."""


def spec(**fields: Any) -> JobDispatch:
    return JobDispatch.model_validate({"experiment": "job-dispatch", **fields})


def of(manager: str, wecs: int = 4) -> FleetFile:
    made = ManagerOf(name=manager, source="its", transport="its", transports={HUB: HUB})
    return fleet_file(wecs).model_copy(update={"manager": made})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"workers": [3, 3]}, "each"),
        ({"loads": ["burst", "burst"]}, "each value once"),
        ({"divisions": []}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(**fields)


def test_divisions_go_back_and_forth_over_the_rounds() -> None:
    fleet = of("multikueue")
    made = EXPERIMENT.plan(spec(workers=[2, 4], loads=["burst"], repeats=2), fleet, managers.of(fleet))
    assert [(t.division, len(t.clusters)) for t in made] == [
        ("closed", 2), ("closed", 4), ("open", 2), ("open", 4), ("open", 2), ("open", 4), ("closed", 2), ("closed", 4)
    ]  # fmt: skip
    assert EXPERIMENT.refits(made)
    assert not EXPERIMENT.refits(made[:2])
    with pytest.raises(UsageError, match=r"workers: 40 are requested, the fleet has 4 WECs: .* wec_count=40"):
        EXPERIMENT.plan(spec(workers=[40]), fleet, managers.of(fleet))


def test_each_manager_does_its_own_experiments() -> None:
    chosen = spec()
    with pytest.raises(UsageError, match="cannot be done with manager ocm: it dispatches Jobs"):
        plan(of("ocm"), registry.of(chosen), chosen)
    scaling = registry.MODELS["wec-scaling"].model_validate({"experiment": "wec-scaling"})
    with pytest.raises(UsageError, match=r"wec-scaling cannot be done with manager multikueue.*run job-dispatch"):
        plan(of("multikueue"), registry.of(scaling), scaling)


def test_no_queue_has_more_workers_than_the_api_takes() -> None:
    workers = [f"wec{number:03d}" for number in range(40)]
    assert [len(part) for part in split(workers)] == [20, 20]
    assert [len(part) for part in split(workers[:20])] == [20]
    assert sorted(name for part in split(workers[:23]) for name in part) == workers[:23]
    assert max(len(part) for part in split(workers[:23])) == 12
    assert [Queues(("a", "b")).of(number) for number in range(3)] == ["a", "b", "a"]


def test_marks() -> None:
    complete = {"conditions": [{"type": "Complete", "status": "True"}, {"type": "Failed", "status": "False"}]}
    assert list(of_job({"status": {"active": 1}})) == [STARTED]
    assert list(of_job({"status": complete})) == [FINISHED]
    assert list(of_job({})) == []
    conditions = [{"type": "QuotaReserved", "status": "True"}, {"type": "Admitted", "status": "True"}]
    workload = {"metadata": {"ownerReferences": [{"kind": "Job", "name": "j"}]}, "status": {"conditions": conditions}}
    assert list(of_workload(workload)) == [(RESERVED, "j"), (ADMITTED, "j")]


class Made:
    """Lines of a trial of two Jobs, one of which goes to two WECs and never finishes."""

    def __init__(self) -> None:
        run = run_record("r", 2)
        self.recorded = Recorded(Join(run.manager, source=run.source))
        self.add(TrialPlan, 0, trial="t000", layout="", wecs=2, repeat=0, clusters=["wec001", "wec002"], kind="2 Jobs",
                 point="limits=closed load=burst")  # fmt: skip

    def add(self, line: type, second: float, **fields: Any) -> None:
        self.recorded.add(line(ns=int(second * SECOND) + 1, wall=1, **fields))

    def sent(self, name: str, second: float) -> None:
        at = int(second * SECOND) + 1
        self.add(Requested, second + 0.01, trial="t000", op="create", cluster=HUB, due_ns=at, sent_ns=at, code=200,
                 error="", resource="jobs.batch", namespace="n", name=name)  # fmt: skip

    def seen(
        self, cluster: str, second: float, mark: str, name: str, resource: str = "jobs.batch", data: Any = None
    ) -> None:
        self.add(MarkSeen, second, cluster=cluster, type="MODIFIED", uid=f"{cluster}{resource}{name}", rv="1",
                 trial="t000", resource=resource, namespace="n", name=name, mark=mark, data=data)  # fmt: skip


def test_a_job_is_followed_through_hub_and_worker(tmp_path: Path) -> None:
    made = Made()
    made.sent("a", 0)
    made.sent("b", 0)
    made.seen(HUB, 0.5, RESERVED, "job-a-1", "workloads.kueue.x-k8s.io", "a")
    made.seen(HUB, 0.6, ADMITTED, "job-a-1", "workloads.kueue.x-k8s.io", "a")
    made.seen("wec002", 1, "created", "a")
    made.seen("wec002", 3, FINISHED, "a")
    made.seen(HUB, 4, FINISHED, "a")
    made.seen("wec001", 2, "created", "b")
    made.seen("wec002", 2.5, "created", "b")
    found = findings(run_record("r", 2), made.recorded, tmp_path)
    assert {(s.name, s.stage): s.seconds for s in found.samples} == {
        ("a", "reservation"): 0.5, ("a", "dispatch"): 1.0, ("a", "execution"): 2.0, ("a", "return"): 1.0,
        ("a", "completion"): 4.0, ("b", "reservation"): None, ("b", "dispatch"): 2.0, ("b", "execution"): None,
        ("b", "return"): None, ("b", "completion"): None,
    }  # fmt: skip
    assert {s.cluster for s in found.samples if s.name == "a"} == {"wec002"}
    assert all("missing" in s.flags for s in found.samples if s.seconds is None)
    (row,) = found.tables[0].rows
    by = dict(zip((column.name for column in COLUMNS), row, strict=True))
    assert (by["Jobs"], by["dispatched"], by["finished"]) == (2, 1.0, 0.25)
    assert (by["workers used"], by["twice"], by["not finished"]) == (2.0, 1, 1)
