"""What a run says, from files of the load client and events that are made up."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.experiments.admission_latency.analysis import findings
from fleet.experiments.admission_latency.marks import CALLS, CLIENT_CPU, CREATED
from fleet.results.events import Measured, RunMark, TrialPlan

SECOND = 1_000_000_000
COUNT = 100


def write(folder: Path, trial: str, milliseconds: float, *, refused: int = 0) -> None:
    """COUNT requests one after the other, the first `refused` of them refused."""
    folder.mkdir(exist_ok=True)
    each = round(milliseconds * 1000)
    with gzip.open(folder / f"{trial}-create.csv.gz", "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "client", "due_us", "sent_us", "end_us", "status", "outcome"])
        for n in range(COUNT):
            outcome = ("refused", 403) if n < refused else ("done", 201)
            rows.writerow([n, 0, n * each, n * each, (n + 1) * each, outcome[1], outcome[0]])
    lines = [{"event": "begin", "unix_ns": 5 * SECOND}, {"event": "result"}]
    (folder / f"{trial}-create.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def recorded(points: list[str], *, called: dict[str, float]) -> Recorded:
    """Trials of 10 s; Kyverno is called so often per pod where `called` has the point."""
    made = Recorded(Join.__new__(Join))
    for number, point in enumerate(points):
        begin, trial = (number + 1) * 20 * SECOND, f"t{number:03d}"
        made.trials.append(
            TrialPlan(
                ns=begin, wall=0, trial=trial, layout="", wecs=1, repeat=0, clusters=["wec001"], point=point, kind=""
            )
        )
        for step, edge, ns in (
            ("trial", "begin", begin), ("load", "begin", begin + SECOND), ("trial", "end", begin + 10 * SECOND)
        ):  # fmt: skip
            made.marks.append(RunMark(ns=ns, wall=4 * SECOND, step=step, edge=edge, trial=trial))
        calls = called.get(point, 0.0)
        made.measured.append(Measured(ns=begin, wall=0, trial=trial, name=CALLS, value=calls, unit="per pod"))
        made.measured.append(Measured(ns=begin, wall=0, trial=trial, name=CLIENT_CPU, value=0.2, unit="s"))
    return made


def found(tmp_path: Path, made: Recorded) -> Any:
    spec = SimpleNamespace(seed=1, own=lambda _: COUNT)
    return findings(SimpleNamespace(spec=spec, stages=[CREATED]), made, tmp_path)  # type: ignore[arg-type]


BASE, SET, NATIVE = "policies=none clients=10", "policies=pod-security clients=10", "policies=native clients=10"


def test_a_set_is_held_against_the_baseline_right_before_it(tmp_path: Path) -> None:
    for trial, milliseconds in (("t000", 10.0), ("t001", 15.0), ("t002", 20.0), ("t003", 21.0)):
        write(tmp_path / "raw", trial, milliseconds, refused=2 if trial == "t003" else 0)
    said = found(tmp_path, recorded([BASE, SET, BASE, NATIVE], called={SET: 1.0}))
    tables = {table.name: table for table in said.tables}
    assert [row[:4] for row in tables["added"].rows] == [
        ["clients=10", "pod-security", 1, pytest.approx(5.0)],
        ["clients=10", "native", 1, pytest.approx(1.0)],
    ]
    latencies = {row[1]: row for row in tables["latencies"].rows}
    assert latencies["none"][2:5] == [2, 200, 0]
    assert latencies["none"][6] == pytest.approx(15.0)  # both baselines
    assert latencies["native"][2:5] == [1, 100, 2]
    assert latencies["native"][-1] == pytest.approx(2.0)  # ms of the client's CPU per request
    assert tables["errors"].rows == [["clients=10", "native", "refused", 2, 2.0]]
    upstream = {row[1]: row for row in tables["upstream"].rows}
    assert upstream["pod-security"][5:] == ["vpol-pss-1r", 32, 69, 107, "none"]
    assert upstream["native"][-1] == "errors at 200 clients or fewer"
    assert said.reasons == []
    missing = [sample for sample in said.samples if sample.seconds is None]
    assert (len(said.samples), len(missing)) == (400, 2)
    assert said.samples[0].start_ns == 22 * SECOND  # the client began a second after the step, by its wall clock
    assert said.said[0].startswith("clients=10: added to the mean latency")


def test_a_set_that_was_not_called_and_a_baseline_that_was_are_reasons(tmp_path: Path) -> None:
    for trial in ("t000", "t001"):
        write(tmp_path / "raw", trial, 10.0)
    said = found(tmp_path, recorded([BASE, SET], called={BASE: 1.0}))
    assert said.reasons == [
        f"t000 ({BASE}): Kyverno was called 1.00 times per pod",
        f"t001 ({SET}): Kyverno was called 0.00 times per pod",
    ]
