"""A summary that its own events contradict: said, kept, and not sealed again."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.analysis.study import analyse
from fleet.report import render
from fleet.results.folder import RunFolder
from tests.unit.report.made import simulated, write_run


def sealed(root: Path) -> RunFolder:
    folder = write_run(root, simulated([2], repeats=1).ordered(), wecs=2)
    render(folder)
    return folder


def edit(folder: RunFolder, **changes: object) -> None:
    path = folder.path / "summary.json"
    raw = json.loads(path.read_text())
    row = next(row for row in raw["rows"] if row["stage"] == "downsync" and row["layout"] == "one-to-many")
    row.update(changes)
    path.write_text(json.dumps(raw))


def test_a_summary_that_was_edited_is_said_by_every_later_report(tmp_path: Path) -> None:
    folder = sealed(tmp_path)
    assert analyse(folder).disagrees == []
    edit(folder, p50=0.001, missing=4)
    before = (folder.path / "summary.json").read_bytes()
    for _ in range(2):
        render(folder)
        page = (folder.path / "report.html").read_text()
        assert "Summary and raw data disagree" in page
        assert "p50 of downsync (one-to-many, 2 WECs) is 0.001 in summary.json" in page
        assert (folder.path / "summary.json").read_bytes() == before
    assert "summary.json" in folder.modified()
    (folder.path / "summary.json").unlink()
    render(folder)
    assert "Summary and raw data disagree" not in (folder.path / "report.html").read_text()


def test_events_that_were_lost_after_sealing_are_found_by_their_numbers(tmp_path: Path) -> None:
    folder = sealed(tmp_path)
    lines = (folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)
    (folder.path / "events.jsonl").write_bytes(b"".join(lines[: len(lines) * 3 // 4]))
    found = analyse(folder).disagrees
    assert "downsync (one-to-many, 2 WECs) is not in the events" in found


def test_a_summary_that_is_no_summary_is_said(tmp_path: Path) -> None:
    folder = sealed(tmp_path)
    (folder.path / "summary.json").write_text("[]")
    assert analyse(folder).disagrees == ["summary.json cannot be read"]
