"""`python -m fleet.live`: follows a run for its driver, which orders by stdin and whose end ends it.

Orders, a line each: `run {"folder": ..., "trials": ...}` when the run folder is there, `note {"text": ...}`,
`report {"file": ...}` when the report is made. The first line of stdout is the page's address.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from fleet.errors import FleetError
from fleet.live.follow import Follower
from fleet.live.page import body, frame, waiting
from fleet.live.server import Pages, served
from fleet.live.terminal import WIDTH, Terminal
from fleet.results.folder import RunFolder

SHORTEST, LONGEST = 1.0, 20.0
"""Seconds from one view to the next."""
PART = 5.0
"""It rests so many times as long as the CPU time of a view: a sixth of one core, at the lowest priority."""
FREEZE_SECONDS = 5.0
"""How long browsers have to fetch the report at the end."""


class Beside:
    """The state of this process."""

    def __init__(self, pages: Pages, address: str, terminal: Terminal | None) -> None:
        self.pages = pages
        self.address = address
        self.terminal = terminal
        self.follower: Follower | None = None
        self.ended = asyncio.Event()

    async def orders(self) -> None:
        """Obey until stdin ends; whatever ends this ends the process."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            while line := await reader.readline():
                verb, _, rest = line.decode().partition(" ")
                await self.obey(verb, json.loads(rest))
        finally:
            self.ended.set()

    async def obey(self, verb: str, order: dict[str, Any]) -> None:
        """One order."""
        match verb:
            case "run":
                self.follower = Follower(RunFolder.open(Path(order["folder"])), order["trials"])
            case "note" if self.terminal is not None:
                self.terminal.say(order["text"])
            case "report":
                await self._freeze(Path(order["file"]))
            case _:
                pass

    async def follow(self) -> None:
        """Show what is new, again and again."""
        while not self.ended.is_set():
            took = await self.view()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LONGEST, max(SHORTEST, PART * took))):
                    await self.ended.wait()

    async def view(self) -> float:
        """One view, if anything is new and anybody looks; the CPU seconds that it took."""
        began, follower = time.process_time(), self.follower
        if follower is None:
            await self.pages.show(waiting("The run has not begun yet."))
            return 0.0
        new = await asyncio.to_thread(follower.look)
        if new and (self.terminal is not None or self.pages.readers):
            study = await asyncio.to_thread(follower.study)
            progress = follower.progress(study)
            if self.terminal is not None:
                self.terminal.show(study, progress)
            if self.pages.readers:
                await self.pages.show(await asyncio.to_thread(body, study, progress))
        return time.process_time() - began

    async def _freeze(self, report: Path) -> None:
        readers = self.pages.readers
        await self.pages.freeze(report)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FREEZE_SECONDS):
                await self.pages.fetched(readers)
        self.ended.set()


async def run(*, terminal: bool) -> None:
    """Until the driver ends it."""
    pages = Pages(lambda: frame("Experiment"))
    async with served(pages) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        console = Console(file=sys.stderr, width=WIDTH, highlight=False)
        with Terminal(console, address) if terminal else contextlib.nullcontext() as drawn:
            beside = Beside(pages, address, drawn)
            orders = asyncio.create_task(beside.orders())
            try:
                await beside.follow()
            finally:
                orders.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await orders


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m fleet.live", description="Shows a run while it goes on.")
    parser.add_argument("--terminal", action="store_true", help="draw on stderr too")
    given = parser.parse_args()
    os.nice(19)  # what is measured goes first
    import_module("matplotlib.figure")  # before the run begins
    try:
        asyncio.run(run(terminal=given.terminal))
    except (FleetError, OSError) as error:
        sys.stderr.write(f"live view: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
