"""Observations of run folders: the published reference run, and lines made by hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.analysis.sizing import observation
from fleet.analysis.sizing.line import Estimate
from fleet.analysis.sizing.observation import Observation
from fleet.analysis.sizing.planes import sequences
from fleet.analysis.sizing.reading import read
from fleet.analysis.sizing.rest import first_look, rest_values
from fleet.errors import SpecError
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import Measured, TrialPlan
from fleet.results.folder import RunFolder
from fleet.results.run import RunRecord
from tests.bench import sizing

REFERENCE = Path(__file__).parents[4] / "results" / "wec-scaling" / "reference"
MIB = 1 << 20


@cache
def reference() -> tuple[Observation, ...]:
    found = read(RunFolder.open(REFERENCE))
    assert not found.why_not
    return found.observations


def test_latencies_are_those_of_its_summary() -> None:
    rows = json.loads((REFERENCE / "summary.json").read_text())["rows"]
    told = {(row["layout"], row["wecs"]): row for row in rows if row["stage"] == "downsync"}
    assert len(told) == 8
    for one in reference():
        if one.source == "load":
            row = told[one.layout, one.wecs]
            for name, value in one.values.items():
                if name.startswith("downsync"):
                    assert value == pytest.approx(row[name.removeprefix("downsync_")], abs=1e-6)


def test_what_programs_take_is_told_of_loads_on_the_whole_fleet_alone() -> None:
    sizes = {one.wecs for one in reference() if "load_cpu_seconds" in one.values}
    assert sizes == {100}
    (rest,) = [one for one in reference() if one.source == "rest"]
    assert (rest.wecs, str(rest.setup)) == (100, "driver dense, 1 kwok nodes, manager kubestellar")
    parts = sum(value for name, value in rest.values.items() if name.startswith("rss."))
    assert parts == rest.values["rss"]
    assert {name for name in rest.values if name.startswith("rss.")} == {
        "rss.hub", "rss.manager", "rss.agents", "rss.planes", "rss.nodes"
    }  # fmt: skip


def test_what_was_fitted_on_1_10_and_50_wecs_predicts_the_median_of_100() -> None:
    fitted = [one for one in reference() if one.wecs <= 50]
    held = [one for one in reference() if one.wecs == 100]
    rows = [row for row in sizing.compare(fitted, held, 100) if "p50" in row.what]
    assert len(rows) == 2
    assert all(row.judged and row.holds and abs(row.error) < 0.02 for row in rows)


def test_a_prediction_that_is_off_fails() -> None:
    row = sizing.Held("memory", Estimate(116.0, 100.0, 130.0), 100.0, judged=True)
    assert not row.holds
    assert row.line().endswith("1.160x  [1.000, 1.300]  goal within 15%: FAILS")
    assert sizing.Held("memory", Estimate(114.0), 100.0, judged=True).holds


def test_a_run_that_is_not_valid_is_not_used(tmp_path: Path) -> None:
    document = json.loads((REFERENCE / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**document, "status": "partial"}))
    assert read(RunFolder.open(tmp_path)).why_not == "it is partial"


def test_a_file_of_observations_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_bytes(observation.dump(reference()))
    assert tuple(observation.load(file)) == reference()
    for text in ("{", '{"format": 2, "observations": []}', "[]"):
        file.write_text(text)
        with pytest.raises(SpecError, match="fleet plan --fit"):
            observation.load(file)
    with pytest.raises(SpecError, match="fleet plan --fit"):
        observation.load(tmp_path / "absent.json")


def test_the_shipped_file_can_be_read() -> None:
    assert {one.setup.driver for one in observation.load(observation.SHIPPED)} <= {"dense", "process", "kind"}


def recorded() -> Recorded:
    return Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))


def trial(made: Recorded, name: str, repeat: int = 0, point: str = "") -> None:
    made.add(TrialPlan(ns=1, wall=1, trial=name, layout="", wecs=0, repeat=repeat, clusters=[], kind="", point=point))


def measured(made: Recorded, trial_name: str, quantity: str, value: float, **of: str) -> None:
    made.add(Measured(ns=2, wall=2, trial=trial_name, name=quantity, value=value, unit="", of=of))


@pytest.fixture
def run() -> RunRecord:
    """As the reference, whose fleet file says whose each program is."""
    return RunFolder.open(REFERENCE).read_run()


def test_a_window_at_rest_is_summed_by_part(run: RunRecord) -> None:
    made = recorded()
    trial(made, "t0", repeat=-1)
    trial(made, "t1")
    for component, cluster, value in (
        ("dense", "", 80.0), ("etcd", "", 9.0), ("etcd", "its1", 30.0), ("kwok", "wec001", 12.0),
        ("ocm-agent", "wec001", 25.0), ("transport", "wds1", 40.0), ("supervisord", "", 20.0),
    ):  # fmt: skip
        measured(made, "t1", "pss", value, component=component, cluster=cluster, program=component)
    measured(made, "t0", "pss", 999.0, component="dense", cluster="", program="dense.0")
    measured(made, "t1", "ports", 17.0)
    assert rest_values(run, made) == {
        "t1": {
            "memory": 216.0, "memory.planes": 89.0, "memory.hub": 30.0, "memory.nodes": 12.0, "memory.agents": 25.0,
            "memory.manager": 40.0, "memory.other": 20.0, "ports": 17.0,
        }
    }  # fmt: skip


def test_without_a_sample_before_the_load_nothing_is_known(run: RunRecord) -> None:
    made = recorded()
    trial(made, "t0")
    assert first_look(run, made) == {}


def test_a_sequence_of_density_gives_the_four_numbers_of_a_pod() -> None:
    made = recorded()
    trial(made, "t0", point="clusters=4")
    trial(made, "t1", point="clusters=8")
    for component, steady in (("dense", 200.0), ("etcd", 40.0), ("client", 900.0)):
        of = {"component": component, "program": f"{component}.0"}
        measured(made, "t0", "rss", steady, phase="steady", **of)
        measured(made, "t0", "cpu_mean", steady / 10_000, phase="steady", **of)
        measured(made, "t0", "peak_rss", steady + 50, phase="bootstrap", **of)
        measured(made, "t0", "peak_rss", steady + 10, phase="post-bootstrap", **of)
        measured(made, "t0", "peak_rss", steady + 999, phase="steady", **of)
    measured(made, "t0", "cpu_peak", 1.9, phase="bootstrap", component="total", program="total")
    measured(made, "t1", "cpu_peak", 1.9, phase="bootstrap", component="total", program="total")
    assert list(sequences(made)) == [
        (4, {
            "rss.planes": 240.0, "idle_cpu.planes": pytest.approx(0.024), "cpu_peak.planes": 1.9,
            "peak_rss.planes": 340.0,
        })
    ]  # fmt: skip
