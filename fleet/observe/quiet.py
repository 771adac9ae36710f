"""Says how long nothing has happened, and waits until nothing has happened for long enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Quiet:
    """`note()` each thing that happens; `seconds()` since the last. Stamps are nanoseconds of one monotonic clock."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._last_ns = clock()
        self.last_what = ""
        """What happened last, for the message when it never became quiet."""

    def note(self, what: str, ns: int | None = None) -> None:
        """Something happened at `ns` (default: now); an older stamp than the last changes nothing."""
        at = self._clock() if ns is None else ns
        if at >= self._last_ns:
            self._last_ns = at
            self.last_what = what

    def seconds(self) -> float:
        """How long nothing has happened."""
        return max(0.0, (self._clock() - self._last_ns) / 1e9)

    async def wait(self, seconds: float, *, timeout: float) -> bool:  # noqa: ASYNC109 - False is an answer here
        """Wait until nothing has happened for `seconds`; False when that did not come within `timeout` seconds.

        The sleep is never longer than until the first moment at which it can be true.
        """
        deadline = self._clock() + round(timeout * 1e9)
        while True:
            missing = seconds - self.seconds()
            if missing <= 0:
                return True
            left = (deadline - self._clock()) / 1e9
            if left <= 0:
                return False
            await asyncio.sleep(min(missing, left))
