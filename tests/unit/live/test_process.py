"""The process of the live view: it ends with its driver, and on an order that it cannot follow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT = 60.0


def start() -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-m", "fleet.live"], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    return process


def test_it_ends_when_its_driver_is_gone() -> None:
    process = start()
    _, said = process.communicate(timeout=TIMEOUT)  # closes its stdin
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_that_is_no_run_is_named(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "run"
    if make:
        folder.mkdir()
    process = start()
    assert process.stdin is not None
    process.stdin.write(f"run {json.dumps({'folder': str(folder), 'trials': 1})}\n")
    process.stdin.flush()
    assert process.wait(TIMEOUT) == 1
    _, said = process.communicate(timeout=TIMEOUT)
    assert said.startswith(f"live view: {folder}: ")
    assert "Traceback" not in said
