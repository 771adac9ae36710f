"""Reports of runs of other managers: made of the record in run.json, with or without a package of that manager here."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.analysis.study import Study, analyse
from fleet.managers.none.record import RECORD as NONE
from fleet.managers.ocm.record import RECORD as OCM
from fleet.model.manager_record import ManagerRecord
from fleet.report.answer import answer
from fleet.report.html import page
from fleet.report.setting import facts
from fleet.report.waterfall import steps
from fleet.results.events import HopSeen, Line, Planned
from fleet.results.format1_manager import MANAGER
from tests.unit.managers.ocm.test_hops import VALUES, replica_set, resources, whole, work
from tests.unit.report.made import run_record, simulated, write_run

STRANGER = MANAGER.model_copy(update={"name": "stranger", "title": "Stranger"})


def ocm_lines() -> list[Line]:
    fleet = whole("wec1", "wec2")
    for wec in ("wec1", "wec2"):
        fleet.see(3000, "hub1", resources.MANIFEST_WORKS, work(wec, applied=True, **VALUES))
    fleet.see(4000, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set(total=2, applied=2, available=2))
    return fleet.lines


def study(root: Path, manager: ManagerRecord, lines: list[Line]) -> Study:
    return analyse(write_run(root, lines, run_record("x", 2).with_(manager=manager)))


def test_a_report_says_which_nodes_there_were_and_what_they_ask_for(tmp_path: Path) -> None:
    record = run_record("x", 2).with_(manager=OCM)
    nodes = {"node_simulator": "mixed", "wec_nodes": 3, "wec_hollow_nodes": 1, "node_load": "as many as a kubelet"}
    fleet = record.fleet.model_copy(update=nodes)
    told = dict(facts(analyse(write_run(tmp_path, ocm_lines(), record.with_(fleet=fleet)))))
    assert "3 mixed nodes (1 of them hollow) each" in told["Fleet"]
    assert told["Nodes"] == "as many as a kubelet"


def test_plain_ocm(tmp_path: Path) -> None:
    made = study(tmp_path, OCM, ocm_lines())
    assert [row.stage for row in made.rows] == [
        "packaging", "delivery", "activation", "acknowledgement", "downsync", "downsync_last", "downsync_spread",
        "workload", "report", "finalization", "status", "e2e",
    ]  # fmt: skip
    assert [step.name for step in steps(made.table)] == [
        "packaging", "delivery", "activation", "workload", "report", "finalization",
    ]  # fmt: skip
    html = page(made)
    assert "latency through Open Cluster Management" in html
    assert "Statuses are polled every 10 s." in html
    for word in ("KubeStellar", "hold-back", "WDS", "Binding"):
        assert word not in html.partition('<h2 id="stages"')[2].partition('<h2 id="resources"')[0]
    assert answer(made)[-1].startswith("Finalized: the ManifestWorkReplicaSet counts")


def test_no_manager_at_all(tmp_path: Path) -> None:
    sim = simulated([1], repeats=2)
    lines = [line for line in sim.ordered() if not isinstance(line, HopSeen)]
    lines = [_own_source(line) if isinstance(line, Planned) else line for line in lines]
    made = study(tmp_path, NONE, lines)
    assert "latency without a manager" in page(made)
    assert not any("e2e" in row.stage for row in made.rows)


def _own_source(line: Planned) -> Planned:
    return type(line)(
        **{name: getattr(line, name) for name in line.__struct_fields__ if name not in ("source", "status")},
        source=line.clusters[0],
        status="report",
    )


@pytest.mark.parametrize("name", ["stranger", "../../etc", "__init__"])
def test_a_manager_whose_package_is_not_here(tmp_path: Path, name: str) -> None:
    """All that its record says is shown; floors and sections of its own are not there."""
    lines = simulated([2], repeats=2).ordered()
    made = study(tmp_path, STRANGER.model_copy(update={"name": name}), lines)
    known = study(tmp_path / "known", MANAGER, lines)
    assert made.rows == known.rows
    assert not any(row.floors for row in made.predictions)
    html = page(made)
    assert "What the rate limits predict" not in html
    assert "Stranger" in html
