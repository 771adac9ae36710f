"""The log of writes: one JSON line each, private, reopened after rotation."""

import json
import stat
from pathlib import Path

from fleet.managers.kubestellar.status_agent.journal import Journal, Line

LINE = Line("wec001", "status", "Pod", "ns", "p", "u1", "17", "ws-1", "99", 1000, 2500)


def test_one_line_per_write_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "writes.jsonl"
    journal = Journal(path)
    journal.open()
    journal.write(LINE)
    journal.write(LINE)
    journal.close()
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "wec": "wec001",
        "op": "status",
        "kind": "Pod",
        "namespace": "ns",
        "name": "p",
        "uid": "u1",
        "wec_rv": "17",
        "ws": "ws-1",
        "ws_rv": "99",
        "in_ns": 1000,
        "out_ns": 2500,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_opening_again_follows_a_rotated_file(tmp_path: Path) -> None:
    path = tmp_path / "writes.jsonl"
    journal = Journal(path)
    journal.open()
    journal.write(LINE)
    path.rename(tmp_path / "writes.jsonl.1")
    journal.open()
    journal.write(LINE)
    journal.flush()
    assert len(path.read_text().splitlines()) == 1
    assert len((tmp_path / "writes.jsonl.1").read_text().splitlines()) == 1
    journal.close()


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(None)
    journal.write(LINE)
    journal.flush()
    journal.open()
    journal.close()
    assert list(tmp_path.iterdir()) == []
