"""The load client alongside the driver: its lines, its failure, its end."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import DeadlineError, MeasurementError
from fleet.experiment.load_client import LoadClient

ECHO = """
import json, sys
order = json.loads(sys.stdin.readline())
print(json.dumps({"event": "begin", "order": order, "command": sys.argv[1]}), flush=True)
if order.get("fail"):
    sys.exit("no such cluster")
if order.get("hang"):
    sys.stdin.read()
    open(order["hang"], "w").close()
"""


def run(folder: Path, order: dict[str, Any], *, seconds: float = 30.0) -> tuple[list[Any], list[int]]:
    program = folder / "client"
    (folder / "client.py").write_text(ECHO, encoding="utf-8")
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "client.py"} "$@"\n', encoding="utf-8")
    program.chmod(stat.S_IRWXU)
    heard: list[Any] = []
    pids: list[int] = []
    with ThreadPoolExecutor(6) as pool:
        work = LoadClient(program, pool).run(
            "load", order, log=folder / "log.jsonl", seconds=seconds, heard=heard.append, started=pids.append
        )
        asyncio.run(work)
    return heard, pids


def test_lines_are_heard_and_kept(tmp_path: Path) -> None:
    heard, pids = run(tmp_path, {"a": 1})
    assert heard == [{"event": "begin", "order": {"a": 1}, "command": "load"}]
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == heard
    assert len(pids) == 1


def test_a_failure_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"fleet-loadgen load failed \(1\): no such cluster"):
        run(tmp_path, {"fail": True})


def test_one_that_hangs_is_ended_by_the_end_of_its_stdin(tmp_path: Path) -> None:
    with pytest.raises(DeadlineError, match="did not end within"):
        run(tmp_path, {"hang": str(tmp_path / "ended")}, seconds=1.0)
    assert (tmp_path / "ended").exists()
