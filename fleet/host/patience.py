"""How long to wait for a program that starts: for its deadline, and on a starved machine for as long as it gets on."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.pressure import Pressure, pressure
from fleet.host.proc_stat import PROC, read_stat

CAP = 4.0
"""Deadlines at most: what took four times as long is not waited for any more, whatever it still does."""
LOOK_SECONDS = 1.0
"""From one look at the progress to the next: a look asks the supervisor."""
STALL_SECONDS = 60.0
"""Beyond its deadline a program must have done something within this time."""


def nothing() -> Hashable:
    """The progress of something that cannot be looked at: never any."""
    return None


@dataclass
class Patience:
    """Ask `left` between two looks. `progress` returns another value whenever the program has got on: the size of its
    log, its process, the CPU time that it used."""

    seconds: float
    progress: Callable[[], Hashable] = nothing
    look: Callable[[], Pressure] = pressure
    clock: Callable[[], float] = time.monotonic
    _begin: float = field(init=False)
    _last: Hashable = field(init=False)
    _moved: float = field(init=False)
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        """The wait begins now."""
        self._begin = self._moved = self._looked = self.clock()
        self._last = self.progress()

    @property
    def elapsed(self) -> float:
        """Seconds since the wait began."""
        return self.clock() - self._begin

    def left(self) -> bool:
        """Whether waiting on has any use."""
        now = self.clock()
        if now - self._looked >= LOOK_SECONDS:
            self._looked, seen = now, self.progress()
            if seen != self._last:
                self._last, self._moved = seen, now
        if now - self._begin <= self.seconds:
            return True
        gets_on = now - self._moved <= min(STALL_SECONDS, self.seconds)
        return gets_on and now - self._begin <= CAP * self.seconds and self.look().starved

    def told(self) -> str:
        """For the error: how long it was waited for, and whether the machine or the program was slow."""
        idle = self.clock() - self._moved
        got_on = "" if self.progress is nothing else f"; it last got on {idle:.0f} s ago"
        return f"{self.elapsed:.0f} s{got_on}; {self.look()}"


def work_done(log: Path, pids: Iterable[int], proc: Path = PROC) -> Hashable:
    """A value that changes when the program writes its log, is started again, or uses CPU: for `Patience.progress`."""
    try:
        size = log.stat().st_size
    except OSError:
        size = 0
    return size, tuple((pid, stat.cpu_ticks) for pid in pids if (stat := read_stat(pid, proc)) is not None)
