"""A work queue that never handles one key twice at once, folds repeated adds, and backs off keys that failed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fleet.errors import FleetError

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class Later(FleetError):  # noqa: N818 - not an error
    """Not an error: this key cannot be finished yet and wants another try after its backoff."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential pauses, in seconds, with jitter: between half of and the whole nominal pause."""

    first: float = 0.05
    longest: float = 30.0

    def nominal(self, failures: int) -> float:
        """Pause after that many failures in a row, before jitter; `failures` counts from 1."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 64))

    def pause(self, failures: int) -> float:
        """The pause to make."""
        return self.nominal(failures) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


class ObjectQueue(Generic[K]):
    """Calls `handle(key)` for every added key, at most `workers` at a time and never two for one key.

    A key added while it is handled is handled again afterwards. Worker tasks live only while there is work, so an idle
    queue costs nothing.
    """

    def __init__(self, handle: Callable[[K], Awaitable[None]], *, workers: int, backoff: Backoff) -> None:
        self._handle = handle
        self._workers = workers
        self._backoff = backoff
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.retries = 0
        """Handlings that failed and were put off, since the start."""

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return len(self._ready)

    @property
    def unfinished(self) -> int:
        """Keys waiting, being handled or backing off."""
        return len(self._dirty | self._busy | self._timers.keys())

    def add(self, key: K) -> None:
        """Request this key to be handled, now or after its present handling."""
        if self._closed or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._busy:
            self._ready.append(key)
            if len(self._tasks) < self._workers:
                self._spawn()

    async def close(self) -> None:
        """Stop all workers and timers, and wait for them."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self) -> None:
        task = asyncio.get_running_loop().create_task(self._work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        try:
            while self._ready:
                await self._one(self._ready.popleft())
        finally:
            # Dropped here and not only in the callback, which runs a turn later: an add in between must spawn again.
            if (task := asyncio.current_task()) is not None:
                self._tasks.discard(task)

    async def _one(self, key: K) -> None:
        self._dirty.discard(key)
        self._busy.add(key)
        try:
            await self._handle(key)
        except Later as reason:
            self._put_off(key, log_level=logging.DEBUG, reason=str(reason))
        except FleetError as error:
            self._put_off(
                key, log_level=logging.WARNING, reason=str(error), at_least=getattr(error, "retry_after", 0.0)
            )
        except Exception:
            # One odd object must not stop the reports of all others.
            log.exception("handling %s failed", key)
            self._put_off(key, log_level=logging.DEBUG, reason="unexpected error")
        else:
            self._failures.pop(key, None)
        finally:
            self._busy.discard(key)
            if key in self._dirty:
                self._ready.append(key)

    def _put_off(self, key: K, *, log_level: int, reason: str, at_least: float = 0.0) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        self.retries += 1
        pause = max(at_least, self._backoff.pause(failures))
        log.log(log_level, "%s: again in %.2f s: %s", key, pause, reason)
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(pause, self._again, key)

    def _again(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)
