from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.cli.logs import Tail
from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document


@pytest.fixture
def log(demo: Path) -> Path:
    """The log folder with a few logs; one holds an escape sequence."""
    folder = demo.parent / "log"
    folder.mkdir()
    (folder / "kwok.wec001.log").write_text("".join(f"line {n}\n" for n in range(100)))
    (folder / "ocm-agent.wec001.log").write_text("\x1b[31mred\x1b[0m\x1b]0;owned\x07\n")
    (folder / "etcd.its1.log").write_text("etcd\n")
    return folder


def test_the_last_lines_of_a_program(fleet: Fleet, log: Path) -> None:
    assert fleet("logs", "kwok.wec001", "-n", "2").out == "line 98\nline 99\n"
    assert fleet("logs", "etcd.its1").out == "etcd\n"
    assert log.exists()


def test_all_programs_of_a_cluster_without_escapes(fleet: Fleet, log: Path) -> None:
    ran = fleet("logs", "wec001", "-n", "1")
    assert ran.out == "==> kwok.wec001 <==\nline 99\n==> ocm-agent.wec001 <==\nred\n"
    assert log.exists()


def test_a_program_that_serves_several_is_found_by_its_component(fleet: Fleet, demo: Path, log: Path) -> None:
    data = document(demo.parent)
    data["components"].append({"program": "odd-name", "component": "agent", "machine": "local", "cluster": "wec002"})
    demo.write_text(json.dumps(data))
    (log / "odd-name.log").write_text("odd\n")
    assert fleet("logs", "wec002").out == "odd\n"


def test_a_cluster_without_logs(fleet: Fleet, log: Path) -> None:
    ran = fleet("logs", "wec002")
    assert ran.code == 2
    assert "wec002 has no log on this machine" in ran.err
    assert log.exists()


def test_no_lines(fleet: Fleet, log: Path) -> None:
    (log / "etcd.its1.log").write_text("")
    ran = fleet("logs", "etcd.its1")
    assert (ran.code, ran.out, ran.err) == (0, "", "no lines yet\n")


def test_a_tail_follows_growth_rotation_and_truncation(tmp_path: Path) -> None:
    file = tmp_path / "p.log"
    file.write_text("one\ntwo\n")
    tail = Tail(file)
    assert tail.last(1) == ["two"]
    assert tail.fresh() == []
    with file.open("a") as stream:
        stream.write("three\nfo")
    assert tail.fresh() == ["three"]
    with file.open("a") as stream:
        stream.write("ur\n")
    assert tail.fresh() == ["four"]
    file.rename(tmp_path / "p.log.1")
    assert tail.fresh() == []
    file.write_text("five\n")
    assert tail.fresh() == ["five"]
    file.write_text("6\n")
    assert tail.fresh() == ["6"]


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    file = tmp_path / "p.log"
    file.write_text("".join(f"{n:07d} {'x' * 90}\n" for n in range(5000)))
    found = Tail(file).last(1500)
    assert (len(found), found[0][:7], found[-1][:7]) == (1500, "0003500", "0004999")
    assert Tail(file).last(0) == []
