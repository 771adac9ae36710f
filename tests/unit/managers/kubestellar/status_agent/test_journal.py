"""The log of writes: one JSON line each, private, reopened after rotation."""

import json
import resource
import stat
from pathlib import Path

import pytest

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


def test_a_full_disk_costs_lines_and_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The limit of a file's size stands for the disk's: it refuses in the middle of a line, and takes lines later."""
    path = tmp_path / "writes.jsonl"
    journal = Journal(path)
    journal.open()
    journal.write(LINE)
    journal.flush()
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size * 5 // 2, hard))
    try:
        for _ in range(3):
            journal.write(LINE)
            journal.write(LINE)
            journal.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == 2 * size
    journal.write(LINE)
    journal.flush()
    journal.close()
    assert [json.loads(line)["ws"] for line in path.read_text().splitlines()] == ["ws-1"] * 3
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "File too large; its lines are lost until there is space again",
        "takes lines again; 5 were lost",
    ]


def test_what_a_full_disk_took_is_reported_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(Path("/dev/full"))
    journal.open()
    journal.write(LINE)
    journal.flush()
    journal.close()
    assert caplog.messages[-1] == "/dev/full: 1 lines were lost"
