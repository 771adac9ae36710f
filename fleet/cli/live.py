"""`--live`: starts the view of a run alongside its driver, says it what it must know, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fleet.cli.console import clean, say, wants_colour
from fleet.experiment.console import Plain
from fleet.experiment.progress import RunProgress, Silent

START_SECONDS = 30.0
END_SECONDS = 15.0
"""It waits for browsers to fetch the report, then ends; longer than that it is killed."""


class Shown:
    """A RunProgress that says the view, and says itself what the view does not."""

    def __init__(self, view: subprocess.Popen[bytes], *, terminal: bool) -> None:
        """`terminal`: the view draws in the terminal, so nothing else may."""
        self._view = view
        self._terminal = terminal
        self._plain: RunProgress = Silent() if terminal else Plain(sys.stderr)

    def begin(self, folder: Path, trials: int) -> None:
        """As in RunProgress."""
        self._order("run", folder=str(folder), trials=trials)
        self._plain.begin(folder, trials)

    def trial(self, number: int, text: str) -> None:
        """As in RunProgress."""
        self._plain.trial(number, text)

    def step(self, name: str) -> None:
        """As in RunProgress."""
        self._plain.step(name)

    def marks(self, done: int, total: int) -> None:
        """As in RunProgress."""
        self._plain.marks(done, total)

    def note(self, text: str) -> None:
        """As in RunProgress."""
        if self._terminal:
            self._order("note", text=clean(text))
        self._plain.note(text)

    def end(self, text: str) -> None:
        """As in RunProgress."""
        self.note(text)

    def report(self, file: Path) -> None:
        """The report is made: it takes the place of the page."""
        self._order("report", file=str(file))

    def _order(self, verb: str, **order: Any) -> None:
        """Send it if it can be sent at once; a view that has died is said once, and the run goes on."""
        if self._view.stdin is None or self._view.stdin.closed:
            return
        try:
            os.write(self._view.stdin.fileno(), f"{verb} {json.dumps(order)}\n".encode())
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._view.stdin.close()
            self._terminal, self._plain = False, Plain(sys.stderr)
            say("the live view has ended; the run goes on")


@contextlib.contextmanager
def live() -> Iterator[Shown | None]:
    """The view while the block runs; None where it cannot start, which is said. Its address goes to stderr."""
    terminal = wants_colour(sys.stderr)
    command = [sys.executable, "-m", "fleet.live", *(["--terminal"] if terminal else [])]
    # A session of its own: a Ctrl-C in the terminal is the driver's to handle.
    view = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    try:
        address = _address(view)
        if not address:
            say("the live view did not start; the run goes on without it")
            yield None
            return
        say(f"live: {address}")
        if view.stdin is not None:
            os.set_blocking(view.stdin.fileno(), False)
        yield Shown(view, terminal=terminal)
    finally:
        _end(view)


def _address(view: subprocess.Popen[bytes]) -> str:
    """Its first line; empty when it ended or took too long."""
    if view.stdout is None or not select.select([view.stdout], [], [], START_SECONDS)[0]:
        return ""
    return view.stdout.readline().decode().strip()


def _end(view: subprocess.Popen[bytes]) -> None:
    """End its stdin, and so it."""
    for pipe in (view.stdin, view.stdout):
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        view.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        view.kill()
        view.wait()
