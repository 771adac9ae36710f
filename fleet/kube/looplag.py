"""Measures how late the event loop runs: a watch's stamps are only as good as the loop that takes them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

_STEP = math.log(1.02)
"""Buckets grow by 2 %: p99 is read with at most that error, whatever the length of the run."""


class LoopLag:
    """Use as `async with`: every `interval` seconds it asks to be woken and notes how much later that happened."""

    def __init__(self, interval: float = 0.025, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.samples = 0
        self.max_seconds = 0.0
        self._interval = interval
        self._clock = clock
        self._buckets: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def add(self, lag_seconds: float) -> None:
        """Notes one lag; below one microsecond counts as one microsecond."""
        self.samples += 1
        self.max_seconds = max(self.max_seconds, lag_seconds)
        self._buckets[math.ceil(math.log(max(lag_seconds, 1e-6) * 1e6) / _STEP)] += 1

    def quantile(self, q: float) -> float:
        """Seconds that a share `q` (0 to 1) of the lags did not exceed, up to 2 % too high; 0 without samples."""
        rank, seen = math.ceil(q * self.samples), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(self.max_seconds, math.exp(bucket * _STEP) / 1e6)
        return 0.0

    @property
    def p99_seconds(self) -> float:
        """Above 5 ms the run is bound by the driver, not by what it measures."""
        return self.quantile(0.99)

    async def _measure(self) -> None:
        while True:
            before = self._clock()
            await asyncio.sleep(self._interval)
            self.add(max(0.0, self._clock() - before - self._interval))
