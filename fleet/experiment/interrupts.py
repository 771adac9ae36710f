"""SIGINT, SIGTERM and SIGHUP: the first ends what runs and lets it clean up, a second SIGINT ends the clean-up too."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import TracebackType
from typing import Self

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Use as `async with`, in the main thread. `watch` names the task that a signal cancels."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        """The first signal."""
        self.at_once = False
        """A second SIGINT came: leave without cleaning."""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Take the signals over; elsewhere than in the main thread Python cannot, and the caller's handling stays."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in HANDLED:
                loop.add_signal_handler(number, self.fire, number)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in HANDLED:
                loop.remove_signal_handler(number)

    def watch(self, task: asyncio.Task[None]) -> None:
        """From now on a signal cancels this task; at once, when leaving at once was requested already."""
        self._task = task
        if self.at_once:
            task.cancel()

    def fire(self, number: signal.Signals) -> None:
        """A signal arrived. After the first, only SIGINT counts: SIGTERM is often sent twice by supervisors."""
        if self.received is None:
            self.received = number
        elif number == signal.SIGINT and not self.at_once:
            self.at_once = True
        else:
            return
        if self._task is not None:
            self._task.cancel()

    @property
    def exit_code(self) -> int:
        """128 and the signal's number: 130, 143 or 129."""
        return 0 if self.received is None else 128 + int(self.received)
