"""client-go's rate limiter, to the token: a bucket that starts full and may be overdrawn by those who wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class TokenBucket:
    """`qps` tokens a second into a bucket of `burst`; `qps` None or 0 means unlimited.

    As `golang.org/x/time/rate` counts for client-go: a request always takes its token at once; when that leaves the
    bucket below zero it waits until the missing part has dripped in. Requests are therefore served in order of arrival.
    """

    def __init__(
        self, qps: float | None = None, burst: int | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if qps is not None and qps < 0:
            raise ValueError(f"qps must be 0 (unlimited) or more, got {qps}")
        if qps and (burst is None or burst < 1):
            raise ValueError(f"burst must be at least 1 when qps is set, got {burst}")
        self.qps = float(qps or 0)
        self.burst = int(burst or 0)
        self.requests = 0
        """Requests that took a token."""
        self.delayed = 0
        """Requests that had to wait."""
        self.waited_seconds = 0.0
        """Sum of all waits."""
        self._clock = clock
        self._tokens = float(self.burst)
        self._last = clock()

    @property
    def unlimited(self) -> bool:
        """Whether nothing ever waits."""
        return self.qps == 0

    def reserve(self, now: float) -> float:
        """Takes one token at clock time `now` (seconds) and says how many seconds to wait before the request."""
        self.requests += 1
        if self.unlimited:
            return 0.0
        elapsed = max(0.0, now - self._last)
        self._last = now
        self._tokens = min(float(self.burst), self._tokens + elapsed * self.qps) - 1
        wait = -self._tokens / self.qps if self._tokens < 0 else 0.0
        if wait:
            self.delayed += 1
            self.waited_seconds += wait
        return wait

    async def wait(self) -> float:
        """Takes one token and waits for it; returns the seconds waited."""
        wait = self.reserve(self._clock())
        if wait:
            await asyncio.sleep(wait)
        return wait
