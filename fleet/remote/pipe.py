"""A program on another machine that is spoken to line by line while a run goes on, over a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from threading import Thread
from typing import Any

from fleet.model.fleet_file import Machine
from fleet.remote.shell import CHUNK, FabricShell

LONGEST_LINE = 1 << 20
END_SECONDS = 5.0
"""How long the program may take to notice that its stdin ended, before the connection is closed."""


class RemotePipe:
    """A program that runs there. It is read by a thread, so that the event loop never waits for the network."""

    def __init__(self, shell: FabricShell, channel: Any) -> None:
        self._shell = shell
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._lines = asyncio.StreamReader(LONGEST_LINE)
        Thread(target=self._read, daemon=True).start()

    async def send(self, line: bytes) -> None:
        """Send one line, given without its newline; OSError when the program or its machine is gone."""
        await asyncio.to_thread(self._write, line + b"\n")

    async def readline(self) -> bytes:
        """The next line of what it writes, with its newline; empty at the end."""
        return await self._lines.readline()

    async def close(self) -> None:
        """End its stdin, wait for its end, and close the connection."""
        await asyncio.to_thread(self._end)

    def _write(self, data: bytes) -> None:
        import paramiko  # noqa: PLC0415 - heavy

        try:
            self._channel.sendall(data)
        except (EOFError, paramiko.SSHException) as error:  # how it says that the connection broke meanwhile
            raise ConnectionResetError(str(error) or "the connection ended") from error

    def _end(self) -> None:
        with contextlib.suppress(OSError, EOFError):  # it is gone already
            self._channel.shutdown_write()
            self._channel.status_event.wait(END_SECONDS)
        self._shell.close()

    def _read(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for more
            with contextlib.suppress(OSError):
                while block := self._channel.recv(CHUNK):
                    self._loop.call_soon_threadsafe(self._lines.feed_data, block)
            self._loop.call_soon_threadsafe(self._lines.feed_eof)


def over_ssh(machine: Machine, argv: Sequence[str]) -> Callable[[], Awaitable[RemotePipe]]:
    """Starts a program there; HostError, naming the machine, when it cannot be."""

    async def start() -> RemotePipe:
        shell = FabricShell(machine)
        try:
            return RemotePipe(shell, await asyncio.to_thread(shell.speak, argv))
        except BaseException:
            shell.close()
            raise

    return start
