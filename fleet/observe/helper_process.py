"""A helper process of the driver, here or on a machine of the fleet: gets a line of JSON, then orders; answers each.

The end of its stdin ends it, so it never outlives the driver.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from fleet.errors import FleetError

END_SECONDS = 5.0
"""How long a helper may take to notice that its stdin ended, before it is killed."""


class Pipe(Protocol):
    """Both ways to a helper that runs, line by line."""

    async def send(self, line: bytes) -> None:
        """Send one line, given without its newline; OSError when nobody reads any more."""

    async def readline(self) -> bytes:
        """The next line of what it writes, with its newline; empty at the end."""

    async def close(self) -> None:
        """End its stdin, and it."""


Start = Callable[[], Awaitable[Pipe]]
"""Starts a helper; FleetError when that cannot be done now."""


class Beside:
    """Use as `async with`. When the helper dies, `ended` is called once and every later answer is empty."""

    def __init__(self, start: Start, opening: bytes, ended: Callable[[], None]) -> None:
        """`start` starts it (see `here`); `opening` is its first line, without the newline."""
        self._start = start
        self._opening = opening
        self._tell = ended
        self._pipe: Pipe | None = None
        self._one = asyncio.Lock()
        self._ended = False

    async def __aenter__(self) -> Self:
        """Start it."""
        try:
            await self._open()
        except FleetError:
            self._lose()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            await pipe.close()

    @property
    def lost(self) -> bool:
        """Whether the helper is gone, and was instructed to be."""
        return self._ended

    async def again(self) -> None:
        """Start a new helper in place of one that is gone; it stays lost when that fails. May be cancelled."""
        await self.__aexit__(None, None, None)
        with contextlib.suppress(FleetError):
            await self._open()
            self._ended = False

    async def order(self, order: str) -> list[bytes]:
        """The lines of the answer; empty when the helper is gone. May be cancelled, for example by a time-out."""
        await self._one.acquire()  # cancelled here, the order is not given at all
        answer = asyncio.ensure_future(self._answer(order))
        answer.add_done_callback(lambda _: self._one.release())
        # Shielded: an answer that nobody waited for would be taken for the next order's.
        return await asyncio.shield(answer)

    async def _open(self) -> None:
        self._pipe = await self._start()
        await self._send(self._opening)

    async def _answer(self, order: str) -> list[bytes]:
        pipe = self._pipe
        if pipe is None or self._ended:
            return []
        await self._send(order.encode())
        lines: list[bytes] = []
        while (line := await pipe.readline()) not in (b"\n", b""):
            lines.append(line)
        if not line and self._pipe is not None:
            self._lose()
        return lines

    async def _send(self, line: bytes) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):  # the end of what it writes says that it is gone
                await self._pipe.send(line)

    def _lose(self) -> None:
        self._ended = True
        self._tell()


class LocalPipe:
    """A helper on this machine, as a child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def send(self, line: bytes) -> None:
        """As in Pipe."""
        if self.process.stdin is not None:
            self.process.stdin.write(line + b"\n")
            await self.process.stdin.drain()

    async def readline(self) -> bytes:
        """As in Pipe."""
        return b"" if self.process.stdout is None else await self.process.stdout.readline()

    async def close(self) -> None:
        """As in Pipe; killed when it does not end by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


def child(command: Sequence[str]) -> Start:
    """Runs a command here, in a session of its own: a Ctrl-C in the terminal is the driver's to handle."""

    async def start() -> Pipe:
        pipe = asyncio.subprocess.PIPE
        return LocalPipe(
            await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
        )

    return start


def here(module: str) -> Start:
    """Runs a module of ours on this machine."""
    return child([sys.executable, "-m", module])
