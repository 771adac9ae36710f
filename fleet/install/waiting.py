"""Wait for a condition, with a deadline that says what was waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from fleet.errors import DeadlineError

POLL_SECONDS = 0.25


async def until(
    condition: Callable[[], Awaitable[bool]],
    seconds: float,
    failure: Callable[[], str],
    *,
    poll: float = POLL_SECONDS,
) -> float:
    """Ask `condition` every `poll` seconds until it holds; the seconds that took. DeadlineError with `failure()`."""
    begin = time.monotonic()
    while not await condition():
        if time.monotonic() - begin >= seconds:
            raise DeadlineError(failure())
        await asyncio.sleep(poll)
    return time.monotonic() - begin


async def drained(count: Callable[[], Awaitable[int]], seconds: float, poll: float) -> int:
    """Wait until `count` is 0; gives up when it has not fallen for `seconds`, and returns what was left."""
    least, since = await count(), time.monotonic()
    while least and time.monotonic() - since < seconds:
        await asyncio.sleep(poll)
        now = await count()
        if now < least:
            least, since = now, time.monotonic()
    return least
