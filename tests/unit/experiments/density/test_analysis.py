"""Findings of density, from a small run worked by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.experiments.density import analysis
from fleet.experiments.density.latencies import bootstrap, load
from fleet.experiments.density.quantities import differs, sequences
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import Measured, TrialPlan

MIB = 1 << 20
COLUMNS = "rung,cluster,op,late,due_us,sent_us,got_us,end_us,outcome"


def recorded(counts: list[int], *, each: float = 30.0, fixed: float = 50.0) -> Recorded:
    """A sequence for each count: `fixed` MiB and `each` more per control plane, 2 MiB of it etcd's."""
    made = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
    for number, count in enumerate(counts):
        trial, point = f"t{number:03}", f"clusters={count}"
        plan = TrialPlan(
            ns=number, wall=0, trial=trial, layout="", wecs=0, repeat=0, clusters=[], kind="", point=point
        )  # fmt: skip
        made.add(plan)
        for phase, planes in (("baseline", 0), ("steady", count)):
            for component, value in (("dense", fixed + (each - 2) * planes), ("etcd", 2.0 * planes), ("client", 999.0)):
                add(made, trial, phase, component, "pss", value * MIB)
    return made


def add(made: Recorded, trial: str, phase: str, component: str, name: str, value: float) -> None:
    of = {"phase": phase, "program": f"{component}.0", "component": component}
    made.add(Measured(ns=1, wall=1, trial=trial, name=name, value=value, unit="B", of=of))


def test_the_cost_is_the_slope_and_etcd_has_rows_of_its_own() -> None:
    table = analysis.cost_table(sequences(recorded([0, 4, 8, 12])))
    rows = {(row[1], row[3]): row for row in table.rows}
    total = rows["pss", "total"]
    assert total[2] == "MiB"
    assert total[4:8] == [pytest.approx(30), pytest.approx(30), pytest.approx(30), pytest.approx(50)]
    assert total[8] == pytest.approx(30)  # (50 + 360 - 50) / 12
    assert total[9] == 4
    assert rows["pss", "etcd"][4] == pytest.approx(2)
    assert ("pss", "client") not in rows


def test_how_the_control_planes_ran_is_read_back_and_older_runs_say_nothing() -> None:
    made = recorded([0, 4, 8, 12])
    of = {"differs": "each as upstream makes it"}
    made.add(Measured(ns=1, wall=1, trial="t000", name="planes", value=4, unit="", of=of))
    assert differs(made) == "each as upstream makes it"
    assert differs(recorded([0, 4, 8, 12])) == ""


def test_a_quantity_that_no_program_tells_has_no_row() -> None:
    assert {row[1] for row in analysis.cost_table(sequences(recorded([0, 4, 8, 12]))).rows} == {"pss"}


def test_residuals_show_a_bow() -> None:
    made = recorded([0, 4, 8, 12])
    add(made, "t003", "steady", "dense", "pss", 800 * MIB)
    worst = max(analysis.residual_table(sequences(made)).rows, key=lambda row: abs(float(row[6] or 0)))
    assert float(worst[6] or 0) != 0


def test_the_client_matters_only_on_a_full_machine() -> None:
    made = recorded([0, 4, 8, 12])
    for component, value in (("dense", 6.0), ("client", 4.0)):
        add(made, "t003", "load", component, "cpu_seconds", value)
    sequence = sequences(made)[3]
    assert analysis.client_share(sequence) == pytest.approx(0.4)
    idle = list(analysis._reasons(sequences(made), dict.fromkeys(("t000", "t001", "t002", "t003"))))
    add(made, "t003", "load", "total", "busy", 0.97)
    full = list(analysis._reasons(sequences(made), dict.fromkeys(("t000", "t001", "t002", "t003"))))
    assert not idle
    assert len(full) == 1
    assert full[0].startswith(
        "clusters=12, repeat 1: the load client took 40% of the load's CPU on a machine that was 97%"
    )


def raw(folder: Path, rows: list[str]) -> None:
    (folder / "raw").mkdir()
    with gzip.open(folder / "raw" / "t000-load.csv.gz", "wt", encoding="ascii") as file:
        file.write("\n".join([COLUMNS, *rows]) + "\n")
    operation = {"offered": 3}
    rung = {
        "event": "rung", "rung": 0, "factor": 1.0, "offered": 1.0, "achieved": 0.5, "saturated": True,
        "read": operation, "write": operation,
    }  # fmt: skip
    lines = [{"event": "begin", "unix_ns": 2_000_000_000}, rung, {"event": "result"}]
    (folder / "raw" / "t000-load.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")


def test_latencies_begin_when_an_operation_was_due(tmp_path: Path) -> None:
    raw(
        tmp_path,
        [
            "0,wec001,read,false,1000,3000,0,9000,done",
            "0,wec001,read,false,2000,2000,0,2000,limited",
            "0,wec001,read,false,2000,2000,0,7000,timeout",
            "0,wec001,write,true,0,4000,5000,10000,done",
            "1,wec001,write,false,0,0,0,1,conflict",
        ],
    )
    one, found = sequences(recorded([4]))[0], load(tmp_path, "t000")
    samples = list(analysis._load_samples(one, found, closed=False))
    # One that the client's own limiter refused was never sent; one without an answer is missing.
    assert [(s.stage, s.seconds, s.flags) for s in samples] == [
        ("read", pytest.approx(0.008), ()),
        ("read", None, ("missing",)),
        ("write", pytest.approx(0.010), ()),
    ]
    assert samples[0].start_ns == 2_001_000_000  # the plan is at 0 of both clocks, the load began at 2 s
    assert next(iter(analysis._load_samples(one, found, closed=True))).seconds == pytest.approx(0.006)
    table = analysis.latency_table([one], {"t000": found}, closed=False)
    names = [column.name for column in table.columns]
    rows = {(row[4], row[5]): dict(zip(names, row, strict=True)) for row in table.rows}
    assert set(rows) == {
        ("read", "due"),
        ("read", "sent"),
        *(("write", part) for part in ("due", "sent", "get", "update")),
    }
    assert rows["read", "due"]["p50"] == pytest.approx(8.0)
    assert (rows["read", "due"]["limited"], rows["read", "due"]["timeout"], rows["read", "due"]["count"]) == (1, 1, 1)
    assert rows["write", "get"]["p50"] == pytest.approx(1.0)
    assert rows["write", "update"]["p50"] == pytest.approx(5.0)
    assert rows["write", "due"]["late"] == 1
    assert rows["read", "due"]["p99"] is None  # fewer than 100


def test_a_file_that_was_cut_short_keeps_what_is_whole(tmp_path: Path) -> None:
    raw(tmp_path, [f"0,wec001,read,false,{number * 7919 % 10007},1,0,2,done" for number in range(5000)])
    file = tmp_path / "raw" / "t000-load.csv.gz"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = load(tmp_path, "t000")
    assert found is not None
    assert 1000 < len(found.operations) < 5000
    assert found.operations[1].due == pytest.approx(0.007919)


def test_a_bootstrap_step_is_split(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    step = {"name": "ready", "wall": 1.0, "server": 0.2, "sleep": 0.5, "requests": 3}
    line = {
        "event": "bootstrapped", "cluster": "wec001", "begin": 0.25, "wall": 1.0, "steps": [step], "failed": "crd",
        "outcome": "refused", "status": 403,
    }  # fmt: skip
    (tmp_path / "raw" / "t000-bootstrap.jsonl").write_text(json.dumps(line) + '\n{"event": "res', encoding="utf-8")
    found, one = bootstrap(tmp_path, "t000"), sequences(recorded([4]))[0]
    assert found is not None
    assert found.steps[0].client == pytest.approx(0.3)
    assert found.failed == ["wec001: crd (refused 403)"]
    table = analysis.boot_table([one], {"t000": found})
    assert table.rows[0][:4] == [4, "ready", 1, 1.0]
    assert table.rows[0][6:] == [pytest.approx(0.2), pytest.approx(0.5), pytest.approx(0.3), 3.0]
    samples = list(analysis._boot_samples(one, found))
    assert [(s.stage, s.start_ns) for s in samples] == [("bootstrap", 250_000_000), ("ready", 250_000_000)]
    assert [s.seconds for s in samples] == pytest.approx([1.0, 1.0])
