"""A recorded run folder in which a program died: verdict, page, samples and summary name it; planned faults as well."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fleet.cli.reporting import make
from fleet.report import render
from fleet.results.events import FaultHealed, FaultInjected, Line, ProgramChanged
from tests.unit.analysis.simulator import MS, START_NS, START_WALL, Simulator
from tests.unit.report.made import write_run

SECOND = 1000 * MS


def two_trials() -> tuple[list[Line], int]:
    """Lines of two trials, and when the second begins."""
    sim = Simulator()
    sim.trial("one-to-many", ["wec001", "wec002"])
    second = sim.now
    sim.trial("one-to-many", ["wec001", "wec002"], repeat=1)
    return sim.out.ordered(), second


def stamps(at: int) -> dict[str, int]:
    return {"ns": at, "wall": START_WALL + at - START_NS}


def flags(folder: Path, trial: int) -> list[str]:
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        return [row["flags"] for row in csv.DictReader(file) if row["repeat"] == str(trial)]


def died(at: int, program: str) -> ProgramChanged:
    return ProgramChanged(**stamps(at), machine="local", program=program, component=program.partition(".")[0],
                          cluster=program.split(".")[1], old_pid=7, new_pid=8, age_seconds=0.5,
                          unseen_seconds=2.0)  # fmt: skip


@pytest.mark.parametrize("program", ["etcd.its1", "transport.wds1"])
def test_a_program_that_died_is_in_every_report(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, second = two_trials()
    folder = write_run(tmp_path, sorted([*lines, died(second + SECOND, program)], key=lambda line: line.ns), wecs=2)
    study = make(folder)
    assert study.verdict.status == "partial"
    sentence = f"{program} (machine local) ended and was started again (process 7, then 8)"
    assert study.verdict.reasons[0].startswith(sentence)
    assert "in trial t001: " in study.verdict.reasons[0]
    page = (folder.path / "report.html").read_text(encoding="utf-8")
    assert sentence in page
    assert "<td>program, disturbed</td><td>t001</td>" in page
    summary = json.loads((folder.path / "summary.json").read_text(encoding="utf-8"))
    assert summary["reasons"][0].startswith(sentence)
    assert all(row["flags"]["disturbed"] == row["count"] // 2 for row in summary["rows"])
    assert all(flag == "" for flag in flags(folder.path, 0))
    assert all(flag == "disturbed" for flag in flags(folder.path, 1))
    assert capsys.readouterr().out == ""


def test_a_planned_fault_is_listed_as_planned(tmp_path: Path) -> None:
    lines, second = two_trials()
    fault = {"trial": "t001", "number": 0, "action": "stop", "target": "its1"}
    extra: list[Line] = [
        FaultInjected(**stamps(second + SECOND), **fault, machine="local", clusters=["its1"], programs=["etcd.its1"]),
        FaultHealed(**stamps(second + 2 * SECOND), **fault),
        died(second + 2 * SECOND, "etcd.its1"),
    ]
    folder = write_run(tmp_path, sorted([*lines, *extra], key=lambda line: line.ns), wecs=2)
    assert render(folder).status == "valid"
    page = (folder.path / "report.html").read_text(encoding="utf-8")
    assert "<b>Planned by the experiment:</b>" in page
    assert "planned: stop of its1 in trial t001" in page
    assert "<td>program, planned</td>" in page
    assert json.loads((folder.path / "summary.json").read_text(encoding="utf-8"))["planned"]
    assert all(flag == "planned-fault" for flag in flags(folder.path, 1))
