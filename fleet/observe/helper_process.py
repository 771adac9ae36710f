"""A helper process of the driver, here or on a machine of the fleet: gets a line of JSON, then orders; answers each.

The end of its stdin ends it, so it never outlives the driver.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

END_SECONDS = 5.0
"""How long a helper may take to notice that its stdin ended, before it is killed."""


class Beside:
    """Use as `async with`. When the helper dies, `ended` is called once and every later answer is empty."""

    def __init__(self, command: Sequence[str], opening: bytes, ended: Callable[[], None]) -> None:
        """`command` starts it (see `here`); `opening` is its first line, without the newline."""
        self._command = tuple(command)
        self._opening = opening
        self._tell = ended
        self._process: asyncio.subprocess.Process | None = None
        self._one = asyncio.Lock()
        self._ended = False

    async def __aenter__(self) -> Self:
        """Start it, in a session of its own: a Ctrl-C in the terminal is the driver's to handle."""
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def lost(self) -> bool:
        """Whether the helper is gone, and was told to be."""
        return self._ended

    async def again(self) -> None:
        """Start a new helper in place of one that is gone."""
        await self.__aexit__(None, None, None)
        self._ended = False
        await self._start()

    async def order(self, order: str) -> list[bytes]:
        """The lines of the answer; empty when the helper is gone. May be cancelled, for example by a time-out."""
        await self._one.acquire()  # cancelled here, the order is not given at all
        answer = asyncio.ensure_future(self._answer(order))
        answer.add_done_callback(lambda _: self._one.release())
        # Shielded: an answer that nobody waited for would be taken for the next order's.
        return await asyncio.shield(answer)

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        await self._send(self._opening)

    async def _answer(self, order: str) -> list[bytes]:
        process = self._process
        if process is None or process.stdout is None or self._ended:
            return []
        await self._send(order.encode())
        lines: list[bytes] = []
        while (line := await process.stdout.readline()) not in (b"\n", b""):
            lines.append(line)
        if not line and self._process is not None:
            self._ended = True
            self._tell()
        return lines

    async def _send(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()


def here(module: str) -> list[str]:
    """The command of a module of ours on this machine."""
    return [sys.executable, "-m", module]
