"""An open loop: each action begins at its moment, whatever the answers of the others do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Due:
    """An action and its moment."""

    offset: float
    """Seconds after the loop's begin; the loop takes them ascending."""
    act: Callable[[int], Awaitable[object]]
    """Gets the moment at which it was due (monotonic ns)."""


async def run(actions: Iterable[Due], start_ns: int) -> None:
    """All of them, and their ends. What one raises ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for action in actions:
                due_ns = start_ns + round(action.offset * 1e9)
                await until(due_ns)
                group.create_task(_as_coroutine(action.act(due_ns)))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def until(due_ns: int) -> None:
    """Wait for that moment (monotonic ns)."""
    # More than once: uvloop counts in whole milliseconds, and wakes up to one too early.
    while (early := (due_ns - time.monotonic_ns()) / 1e9) > 0:  # noqa: ASYNC110 - time it is
        await asyncio.sleep(early)


async def _as_coroutine(one: Awaitable[object]) -> None:
    await one
