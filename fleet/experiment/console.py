"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fleet.experiment.progress import RunProgress

PLAIN_SECONDS = 5.0
"""A plain line about a step that lasts, at most this often."""


def choose(stream: TextIO) -> RunProgress:
    """Bars when `stream` is a terminal that can move its cursor, plain lines when not. NO_COLOR is respected."""
    if stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        return Bars(stream)
    return Plain(stream)


def remaining(done: int, total: int, seconds: float) -> str:
    """`ETA 3m20s` from `done` of `total` in `seconds`; empty while nothing is known."""
    if done <= 0 or total <= done:
        return ""
    left = round(seconds * (total - done) / done)
    minutes, rest = divmod(left, 60)
    return f", ETA {minutes}m{rest:02d}s" if minutes else f", ETA {rest}s"


class Plain:
    """One line per trial and step; a step that lasts says every 5 s how far it is."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._told = clock()
        self._trials = 0
        self._number = 0
        self._step = ""

    def begin(self, folder: Path, trials: int) -> None:
        """Names the folder, so that it is known even if the run is killed."""
        self._trials = trials
        self._began = self._clock()
        self._say(f"{trials} trials, results in {folder}")

    def trial(self, number: int, text: str) -> None:
        """`[3/16] one-to-many, 20 WECs, repeat 1, ETA 12m03s`."""
        self._number = number
        eta = remaining(number - 1, self._trials, self._clock() - self._began)
        self._say(f"[{number}/{self._trials}] {text}{eta}")

    def step(self, name: str) -> None:
        """Remembered for the lines about its progress."""
        self._step = name
        self._told = self._clock()

    def marks(self, done: int, total: int) -> None:
        """`  drain 14/25 done`."""
        now = self._clock()
        if now - self._told >= PLAIN_SECONDS:
            self._told = now
            self._say(f"  {self._step} {done}/{total} done")

    def note(self, text: str) -> None:
        """One line."""
        self._say(text)

    def end(self, text: str) -> None:
        """The last line."""
        self._say(text)

    def _say(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Bars:
    """Two bars: trials of the run, marks of the trial."""

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console)
        self._run = self._bars.add_task("trials", total=None)
        self._trial = self._bars.add_task("prepare", total=None)
        self._text = ""

    def begin(self, folder: Path, trials: int) -> None:
        """Starts the bars below a line that names the folder."""
        self._bars.console.print(f"results in {escape(str(folder))}", soft_wrap=True)
        self._bars.update(self._run, total=trials)
        self._bars.start()

    def trial(self, number: int, text: str) -> None:
        """Moves the first bar, begins the second again."""
        self._text = text
        self._bars.update(self._run, completed=number - 1)
        self._bars.reset(self._trial, total=None, description=escape(text))

    def step(self, name: str) -> None:
        """Shown alongside the trial."""
        self._bars.update(self._trial, description=escape(f"{self._text}: {name}" if self._text else name))

    def marks(self, done: int, total: int) -> None:
        """Moves the second bar."""
        self._bars.update(self._trial, completed=done, total=total)

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(escape(text), soft_wrap=True)

    def end(self, text: str) -> None:
        """Ends the bars."""
        self._bars.stop()
        self._bars.console.print(escape(text), soft_wrap=True)
