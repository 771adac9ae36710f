"""Wait for a condition, with a deadline that says what was waited for and how starved the machine was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

from fleet.errors import DeadlineError
from fleet.host.patience import Patience, nothing
from fleet.kube.errors import Unreachable

POLL_SECONDS = 0.25


async def until(
    condition: Callable[[], Awaitable[bool]],
    seconds: float,
    failure: Callable[[], str],
    *,
    poll: float = POLL_SECONDS,
    progress: Callable[[], Hashable] = nothing,
) -> float:
    """Ask `condition` every `poll` seconds until it holds; the seconds that took.

    An API server that gives no answer (`Unreachable`) is asked again. DeadlineError with `failure()` after `seconds`;
    on a starved machine only when `progress` has stood still too, or several deadlines have passed (see `Patience`).
    """
    patience = Patience(seconds, progress)
    silent = ""
    while True:
        try:
            if await condition():
                return patience.elapsed
            silent = ""
        except Unreachable as error:
            silent = f"; its last answer: {error}"
        if not patience.left():
            raise DeadlineError(f"{failure()}{silent}; waited {patience.told()}")
        await asyncio.sleep(poll)


async def drained(count: Callable[[], Awaitable[int]], seconds: float, poll: float) -> int:
    """Wait until `count` is 0; gives up when it has not fallen for `seconds`, and returns what was left."""
    least, since = await count(), time.monotonic()
    while least and time.monotonic() - since < seconds:
        await asyncio.sleep(poll)
        now = await count()
        if now < least:
            least, since = now, time.monotonic()
    return least
