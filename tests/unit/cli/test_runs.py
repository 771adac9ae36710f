from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.quality import Status, Verdict
from fleet.analysis.summary import Failure, Row
from fleet.cli import run_list
from fleet.cli.console import Ink
from fleet.cli.reporting import exit_code, latencies
from fleet.errors import UsageError
from fleet.results.folder import RunFolder
from fleet.results.run import RunRecord
from tests.unit.cli.conftest import Fleet, golden
from tests.unit.model.fleets import document


def run_in(root: Path, minute: int, **changes: Any) -> RunFolder:
    """A run folder with its run.json; `minute` orders them."""
    made = RunFolder.create(root, "wec-scaling", datetime(2026, 1, 2, 3, minute, tzinfo=UTC))
    path = made.path.rename(made.path.with_name(f"20260102T03{minute:02d}00Z-{minute:08x}"))
    folder = RunFolder(path)
    record = {
        "id": folder.id,
        "experiment": "wec-scaling",
        "started": f"2026-01-02T03:{minute:02d}:00Z",
        "ended": f"2026-01-02T03:{minute + 7:02d}:30Z",
        "status": "valid",
        "spec": {"experiment": "wec-scaling", "wecs": [1, 5]},
        "fleet": document(Path("/srv/fleet/demo")),
        "manager": {"name": "kubestellar"},
        **changes,
    }
    folder.write_run(RunRecord.model_validate(record))
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    root = tmp_path / "work" / "results"
    run_in(root, 1)
    run_in(root, 10, status="partial", reasons=["3 of 40 samples are missing"])
    run_in(root, 20, status="running", ended=None)
    broken = run_in(root, 30)
    (broken.path / "run.json").write_text("{")
    (root / "wec-scaling" / "README.md").write_text("not a run")
    return root


def test_the_list_newest_first(fleet: Fleet, results: Path) -> None:
    ran = fleet("runs")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == golden("runs.txt")
    items = json.loads(fleet("runs", "-o", "json").out)["items"]
    assert [(item["status"], item["seconds"]) for item in items] == [
        ("unreadable", None),
        ("running", None),
        ("partial", 450.0),
        ("valid", 450.0),
    ]
    assert items[2]["reasons"] == ["3 of 40 samples are missing"]
    assert results.exists()


def test_no_runs_are_an_empty_list(fleet: Fleet) -> None:
    ran = fleet("runs", "-o", "json")
    assert (ran.code, json.loads(ran.out)["items"]) == (0, [])
    ran = fleet("runs")
    assert (ran.code, ran.out) == (0, "")
    assert "there are no runs in results" in ran.err


def test_a_run_is_chosen_by_folder_id_its_end_or_its_experiment(results: Path) -> None:
    root = results / "wec-scaling"
    by = {
        None: "20260102T033000Z-0000001e",
        str(root / "20260102T030100Z-00000001"): "20260102T030100Z-00000001",
        "20260102T031000Z-0000000a": "20260102T031000Z-0000000a",
        "wec-scaling/20260102T031000Z-0000000a": "20260102T031000Z-0000000a",
        "0000000a": "20260102T031000Z-0000000a",
        "wec-scaling": "20260102T033000Z-0000001e",
    }
    assert {asked: run_list.choose(asked, results).id for asked in by} == by
    for asked in ("nope", "", "a", "../..", "wec-scalin"):
        with pytest.raises(UsageError):
            run_list.choose(asked, results)


def test_the_report_is_made_from_the_folder_and_its_path_is_all_of_stdout(fleet: Fleet, tmp_path: Path) -> None:
    root = tmp_path / "work" / "results"
    folder = run_in(root, 1, status="running", ended=None)
    (folder.path / "events.jsonl").write_bytes(b"")
    ran = fleet("report")
    assert ran.code == 0, ran.err
    assert ran.out == f"results/wec-scaling/{folder.id}/report.html\n"
    assert (folder.path / "report.html").is_file()
    assert ran.err.startswith(f"wec-scaling/{folder.id}: invalid\n")


@pytest.mark.parametrize(
    ("outcome", "status", "failed", "code"),
    [
        (0, "valid", False, 0),
        (0, "valid", True, 3),
        (0, "partial", True, 4),
        (0, "invalid", False, 4),
        (4, "partial", False, 4),
        (130, "partial", True, 130),
        (143, "invalid", False, 143),
    ],
)
def test_a_signal_goes_before_the_verdict_and_the_verdict_before_a_threshold(
    outcome: int, status: Status, failed: bool, code: int
) -> None:
    failures = [Failure(stage="e2e", test="p50 < 1ms", text="")] if failed else []
    assert exit_code(Verdict(status), failures, outcome) == code


def test_latencies_for_the_terminal() -> None:
    def row(stage: str, layout: str, wecs: int, p50: float | None, missing: int = 0) -> Row:
        worst = None if p50 is None else p50 * 2
        return Row(stage=stage, layout=layout, wecs=wecs, count=3, missing=missing, p50=p50, p90=worst, max=worst)

    rows = [
        row("e2e", "one-to-one", 20, 4.25),
        row("downsync", "one-to-one", 20, 2.1304),
        row("downsync", "one-to-one", 1, 2.05),
        row("downsync", "one-to-many", 1, None, missing=3),
        row("binding", "one-to-many", 1, 2.0),
    ]
    assert latencies(rows, Ink()) + "\n" == golden("latencies.txt")
    assert latencies([rows[-1]], Ink()) == ""
