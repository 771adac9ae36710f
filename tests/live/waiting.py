"""Waiting for what comes about by itself and is announced to nobody: these tests look until it is there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 180.0
"""For anything to come about on a busy machine; a node is NotReady 40 s after its last lease."""
RUN_SECONDS = 300.0
"""For a run to come to one of its steps there."""
PAUSE = 0.1
SENT = b'"t":"sent"'
"""Marks the events of a run that has begun to send."""


def until(
    what: str, holds: Callable[[], object], *, seconds: float = SECONDS, running: subprocess.Popen[Any] | None = None
) -> None:
    """Return once it holds; an assertion with `what` after `seconds`, or if the program `running` ends before."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        assert running is None or running.poll() is None, f"exit {running.returncode} before: {what}"
        time.sleep(PAUSE)


def until_written(results: Path, running: subprocess.Popen[str], *marks: bytes) -> None:
    """Return once a line in the events of that run, which writes below `results`, has all of the marks."""

    def written() -> bool:
        lines = (line for file in results.rglob("events.jsonl") for line in file.read_bytes().splitlines())
        return any(all(mark in line for mark in marks) for line in lines)

    until(f"an event with {marks}", written, seconds=RUN_SECONDS, running=running)
