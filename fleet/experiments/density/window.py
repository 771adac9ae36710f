"""CPU of programs over a phase, its mean and its busiest second, and the peak of their resident memory in it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fleet.experiments.density.targets.target import Running
from fleet.experiments.density.weights import peak_rss, reset_peaks
from fleet.host.proc_stat import read_stat

STEP = 1.0
"""Seconds between two looks: what a peak is a mean over."""
TOTAL = "total"


@dataclass(frozen=True)
class Use:
    """One program in a phase. CPU in seconds and cores, memory in bytes."""

    running: Running
    cpu_seconds: float
    cpu_mean: float
    cpu_peak: float
    peak_rss: float | None


@dataclass
class Window:
    """One phase under way; whole when the block of `window` has ended."""

    seconds: float = 0.0
    uses: list[Use] = field(default_factory=list)
    busy: float = 0.0
    """Share of the machine's processors that was not idle, whoever used it."""
    total_peak: float = 0.0
    """Cores of all programs together in their busiest second."""


@dataclass
class _Track:
    running: Running
    first: float
    last: float
    peak: float = 0.0


Look = Callable[[], Awaitable[Sequence[Running]]]


@asynccontextmanager
async def window(look: Look, *, growing: bool = False) -> AsyncIterator[Window]:
    """Watch every program that `look` finds, once a second; with `growing` those that begin meanwhile too, whose CPU
    counts from their own beginning."""
    found = Window()
    tracks: dict[int, _Track] = {}
    programs = await look()
    reset_peaks(one.pid for one in programs)
    begin, idle = time.monotonic(), _idle()
    for one in programs:
        _track(tracks, one, new=False)
    task = asyncio.create_task(_watch(look if growing else None, tracks, found, begin))
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for one in await look():
            _track(tracks, one, new=True)
        found.seconds = time.monotonic() - begin
        whole = found.seconds * (os.cpu_count() or 1)
        found.busy = min(1.0, max(0.0, 1 - (_idle() - idle) / whole))
        found.uses = [_use(track, found.seconds) for track in tracks.values()]


async def _watch(look: Look | None, tracks: dict[int, _Track], found: Window, moment: float) -> None:
    while True:
        await asyncio.sleep(STEP)
        if look is not None:
            for one in await look():
                _track(tracks, one, new=True)
        now = time.monotonic()
        elapsed, moment = now - moment, now
        total = 0.0
        for track in tracks.values():
            used = _follow(track) / elapsed
            track.peak = max(track.peak, used)
            total += used
        found.total_peak = max(found.total_peak, total)


def _track(tracks: dict[int, _Track], one: Running, *, new: bool) -> None:
    if one.pid not in tracks:
        stat = read_stat(one.pid)
        if stat is not None:
            begin = 0.0 if new else stat.cpu_seconds
            tracks[one.pid] = _Track(one, begin, begin)


def _follow(track: _Track) -> float:
    """CPU seconds since the last look."""
    stat = read_stat(track.running.pid)
    used = 0.0 if stat is None else stat.cpu_seconds - track.last
    track.last += used
    return used


def _use(track: _Track, seconds: float) -> Use:
    _follow(track)
    used = track.last - track.first
    mean = used / seconds if seconds > 0 else 0.0
    return Use(track.running, used, mean, max(track.peak, mean), peak_rss(track.running.pid))


def _idle() -> float:
    """Seconds that the machine's processors were idle, together."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")
