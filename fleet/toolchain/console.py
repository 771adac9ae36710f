"""Progress of a build for people: one moving line on a terminal, else a plain line now and then."""

from __future__ import annotations

import time
from typing import TextIO

from fleet.toolchain.progress import READY, BuildProgress, Report

PLAIN_SECONDS = 10.0
MOVING_SECONDS = 0.2


def describe(step: BuildProgress) -> str:
    """One line: what, percent, elapsed, time to go."""
    return f"toolchain: {step.group} {step.fraction:4.0%}, {clock(step.elapsed)} elapsed, about {clock(step.eta)} to go"


def first(step: BuildProgress) -> str:
    """What is said once, before anything else."""
    if not step.estimate:
        return f"toolchain: taking the upstream programs of an earlier release into {step.root}"
    minutes = max(1, round(step.estimate / 60))
    return (
        f"toolchain: building the upstream programs into {step.root}; "
        f"with nothing cached about {minutes} minute{'s' if minutes > 1 else ''} on 2 cores"
    )


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def renderer(stream: TextIO, *, motion: bool) -> Report:
    """A reporter that writes to `stream`; `motion` rewrites one line in place."""
    said = False
    last = 0.0
    group = ""

    def report(step: BuildProgress) -> None:
        nonlocal said, last, group
        now = time.monotonic()
        if not said:
            stream.write(first(step) + "\n")
            said = True
        changed = step.group != group
        if changed or now - last >= (MOVING_SECONDS if motion else PLAIN_SECONDS):
            stream.write(f"\r\x1b[K{describe(step)}" if motion else describe(step) + "\n")
            stream.flush()
            last, group = now, step.group
        if motion and step.group == READY:
            stream.write("\n")

    return report
