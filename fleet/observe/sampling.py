"""The driver's side of the sampler: starts it, gives it orders, records what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from types import TracebackType
from typing import Self

import msgspec
import orjson

from fleet.observe.recorder import Recorder
from fleet.results.events import decode
from fleet.spec.fleet_file import FleetFile

END_SECONDS = 5.0
"""How long the sampler may take to notice that its stdin ended, before it is killed."""


class Sampling:
    """Use as `async with`. When the sampler dies, that is told once and nothing is sampled any more."""

    def __init__(self, fleet: FleetFile, recorder: Recorder) -> None:
        self._fleet = fleet
        self._recorder = recorder
        self._process: asyncio.subprocess.Process | None = None
        self._one = asyncio.Lock()
        self._ended = False

    async def __aenter__(self) -> Self:
        """Start it, in a session of its own: a Ctrl-C in the terminal is the driver's to handle."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fleet.observe.sampler",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        await self._send(self._fleet.model_dump_json().encode())
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

    async def sample(self) -> None:
        """Weigh every program and scrape every page, once, now."""
        for line in await self._order("sample"):
            with contextlib.suppress(msgspec.DecodeError):
                self._recorder.record(decode(line))

    async def busy(self, seconds: float) -> str:
        """Which program works, looking twice `seconds` apart (see `metrics.Scraper.busy`); empty when none does."""
        lines = await self._order(f"busy {seconds:.3f}")
        return str(orjson.loads(lines[0])) if lines else ""

    async def _order(self, order: str) -> list[bytes]:
        """The lines of the answer; empty when the sampler is gone."""
        # Shielded: an answer that nobody waited for would be taken for the next order's.
        return await asyncio.shield(asyncio.ensure_future(self._answer(order)))

    async def _answer(self, order: str) -> list[bytes]:
        async with self._one:
            process = self._process
            if process is None or process.stdout is None or self._ended:
                return []
            await self._send(order.encode())
            lines: list[bytes] = []
            while (line := await process.stdout.readline()) not in (b"\n", b""):
                lines.append(line)
            if not line and self._process is not None:
                self._ended = True
                self._recorder.anomaly("metrics", "the sampler ended: no more programs are weighed and no metrics read")
            return lines

    async def _send(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()
