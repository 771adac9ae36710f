"""What every program takes between two phases: /proc and what it reports about itself, as measured quantities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleet.experiments.density.pages import Told, told
from fleet.experiments.density.targets.target import Running
from fleet.host.process_stats import KIB, weigh_pid

PROC = Path("/proc")
PEAK = "5"
"""Written to /proc/PID/clear_refs it sets the peak of the resident memory to what it is now (proc(5))."""
AT_ONCE = 4
UNITS = {
    "cpu_mean": "cores", "cpu_peak": "cores", "cpu_seconds": "s", "seconds": "s",
    "rss": "B", "pss": "B", "anonymous": "B", "peak_rss": "B",
    "live_heap": "B", "heap_alloc": "B", "heap_inuse": "B", "heap_sys": "B", "heap_released": "B", "stacks": "B",
    "gc_cpu": "", "goroutines": "", "threads": "", "descriptors": "",
    "etcd_size": "B", "etcd_in_use": "B", "etcd_keys": "",
}  # fmt: skip
"""Every quantity of a program in a phase, in the order of the tables."""


@dataclass(frozen=True)
class Weighed:
    """One program between two phases; `values` by the names of `UNITS`."""

    running: Running
    values: dict[str, float]
    failed: str


def weigh(programs: Sequence[Running]) -> list[Weighed]:
    """All of them. /proc first: asking a program for its heap changes its memory."""
    seen = [(one, dict(_seen(one.pid))) for one in programs]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(_told, programs))
    return [
        Weighed(one, {**values, **answer.values}, answer.failed)
        for (one, values), answer in zip(seen, answers, strict=True)
        if values
    ]


def _told(one: Running) -> Told:
    return told(one.pages, metrics=one.component == "etcd" or not one.pages.pprof)


def reset_peaks(pids: Iterable[int]) -> None:
    """Let the peak of each process's resident memory begin again."""
    for pid in pids:
        with suppress(OSError):  # it ended
            (PROC / str(pid) / "clear_refs").write_text(PEAK, encoding="ascii")


def peak_rss(pid: int) -> float | None:
    """Bytes, since the last reset; None when the process is gone."""
    try:
        text = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    line = next((line for line in text.splitlines() if line.startswith("VmHWM:")), "")
    return float(line.split()[1]) * KIB if line else None


def _seen(pid: int) -> Iterator[tuple[str, float]]:
    weight = weigh_pid("", pid)
    if weight is not None:
        yield from (
            ("rss", weight.rss), ("pss", weight.pss), ("anonymous", weight.anonymous),
            ("threads", weight.threads), ("descriptors", weight.descriptors),
        )  # fmt: skip
