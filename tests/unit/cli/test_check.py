"""`fleet check`: exit code, table, JSON, and findings written out as small runs that say the same again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.results.events import Line
from fleet.results.folder import RunFolder
from tests.unit.analysis.checker.histories import OTHER, WECS, begin, delivered, drained, planned, reported, seen, whole
from tests.unit.cli.conftest import Fleet
from tests.unit.report.made import run_record


def made(tmp_path: Path, lines: Sequence[Line]) -> RunFolder:
    """A run folder with that history."""
    folder = RunFolder.create(tmp_path / "results", "wec-scaling", datetime(2026, 11, 28, tzinfo=UTC))
    folder.write_run(run_record(folder.id, 2))
    with folder.event_log() as log:
        for line in sorted(lines, key=lambda one: one.ns):
            log.append(line)
    return folder


def test_a_run_that_keeps_the_rules_ends_with_0(fleet: Fleet, tmp_path: Path) -> None:
    folder = made(tmp_path, whole())
    ran = fleet("check", str(folder.path))
    assert (ran.code, ran.err) == (0, "")
    assert "1 objects, 2 deliveries" in ran.out
    assert ran.out.count("holds") == 8
    assert "broken" not in ran.out


def test_findings_end_with_3_and_show_the_raw_lines(fleet: Fleet, tmp_path: Path) -> None:
    folder = made(tmp_path, [*begin(), *delivered(WECS[:1]), drained()])
    ran = fleet("check", str(folder.path))
    assert ran.code == 3
    assert "lost (t000): deployments/ns/op-1 was accepted by wds1" in ran.out
    assert '"t":"planned"' in ran.out
    document = json.loads(fleet("check", str(folder.path), "-o", "json").out)
    assert (document["kind"], document["rules"]["lost"], document["pairs"]) == ("Findings", 1, 2)
    (finding,) = document["items"]
    assert [json.loads(line)["t"] for line in finding["raw"]] == ["planned", "sent", "mark"]


def test_a_finding_is_written_as_a_small_run_that_breaks_the_same_rule(fleet: Fleet, tmp_path: Path) -> None:
    wrong = reported(6, WECS[0], 45, {"readyReplicas": 7}, type_="MODIFIED")
    twice = seen(7, WECS[1], "ADDED", 33, uid="new")
    other = [*planned(OTHER), *delivered(op=OTHER)]
    folder = made(tmp_path, [*begin(), *delivered(), *other, wrong, twice, drained()])
    ran = fleet("check", str(folder.path), "--write", str(tmp_path / "found"))
    assert ran.code == 3
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert names == ["once-1", "status-owner-1"]
    for name in names:
        small = tmp_path / "found" / name
        again = json.loads(fleet("check", str(small), "-o", "json").out)
        assert again["rules"][name.rpartition("-")[0]] == 1
        text = (small / "finding.md").read_text(encoding="utf-8")
        assert "kubernetes: v1.34.4" in text
        assert "seed" in text
        lines = (small / "events.jsonl").read_bytes()
        assert lines.count(b"\n") < folder.log.read_bytes().count(b"\n")
        assert OTHER.encode() not in lines


def test_the_bound_is_the_users(fleet: Fleet, tmp_path: Path) -> None:
    folder = made(tmp_path, [*begin(), *delivered(), drained(30)])
    assert fleet("check", str(folder.path), "--bound", "2s").code == 3
    assert fleet("check", str(folder.path), "--bound", "20s").code == 0


@pytest.mark.parametrize("bound", ["20", "0s", "soon"])
def test_a_bound_that_is_no_duration_is_refused(bound: str, fleet: Fleet, tmp_path: Path) -> None:
    ran = fleet("check", str(made(tmp_path, whole()).path), "--bound", bound)
    assert ran.code == 2
    assert "--bound" in ran.err


def test_a_folder_that_is_no_run_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    assert fleet("check", str(tmp_path)).code == 2
