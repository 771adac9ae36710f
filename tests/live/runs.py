"""A run that a live test has made: its report, its record, and whether it ended as on a machine with nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.live.lab import Lab, Ran

NOISE = ("harness-bound", "could not keep up")
"""What a neighbour on the same two cores may do to a run; it is said in the verdict and is no fault of ours."""


def report_path(lab: Lab, out: str) -> Path:
    """The report that a run printed last on stdout."""
    path = Path(out.strip().splitlines()[-1])
    assert path.name == "report.html", out
    assert path.is_file(), f"{lab.name}: {path}"
    return path


def run_record(path: Path) -> dict[str, Any]:
    """`run.json` of the run whose report lies at `path`."""
    record: dict[str, Any] = json.loads((path.parent / "run.json").read_text(encoding="utf-8"))
    return record


def summary(path: Path) -> list[dict[str, object]]:
    """Rows of `summary.json`."""
    rows: list[dict[str, object]] = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))["rows"]
    return rows


def no_fault(path: Path) -> dict[str, Any]:
    """The record of a run that ended valid, or would have but for noise."""
    record = run_record(path)
    faults = [reason for reason in record["reasons"] if not any(word in reason for word in NOISE)]
    assert record["status"] == "valid" or (record["reasons"] and not faults), record["reasons"]
    return record


def valid(lab: Lab, ran: Ran) -> Path:
    """The report of such a run."""
    assert ran.code in (0, 4), ran
    path = report_path(lab, ran.out)
    no_fault(path)
    return path
