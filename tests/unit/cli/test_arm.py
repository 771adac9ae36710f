"""How a command that goes on in a process of its own is ended."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from fleet.cli import arm

IGNORES = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def test_one_that_ignores_interrupts_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm, "END_SECONDS", 10.0)
    process = subprocess.Popen([sys.executable, "-c", IGNORES], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    arm._end(process)
    assert process.returncode == -signal.SIGTERM
