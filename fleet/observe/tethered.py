"""A program of an experiment's own alongside the driver: it has the priority that everybody has, and never outlives the
driver.

Between the two stands this module as a process, `python -m fleet.observe.tethered`: the end of its stdin ends the
program. First line of stdin: an `Order` as JSON. It answers the program's process id, or why it could not be run, and
then, when the program has ended by itself, its exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import MeasurementError
from fleet.model.base import Model
from fleet.observe import priority
from fleet.observe.helper_process import Pipe, here

MODULE = "fleet.observe.tethered"
END_SECONDS = 3.0
"""How long a program may take to end at a signal; less than its helper may take."""


class Order(Model):
    """What is to be run."""

    argv: list[str]
    log: str
    """File that its output is appended to."""


@dataclass(frozen=True)
class Tethered:
    """One that runs."""

    pid: int
    ended: asyncio.Task[int]
    """Its exit code, when it has ended by itself; negative for a signal."""


@asynccontextmanager
async def tethered(argv: Sequence[str], log: Path) -> AsyncIterator[Tethered]:
    """The program runs inside the block and is ended behind it. MeasurementError when it cannot be run."""
    pipe = await here(MODULE)()
    try:
        await pipe.send(Order(argv=list(argv), log=str(log)).model_dump_json().encode())
        said = (await pipe.readline()).decode(errors="replace").strip()
        if not said.isdigit():
            raise MeasurementError(f"{argv[0]} cannot be run: {said or 'its helper ended'}")
        ended = asyncio.create_task(_code(pipe))
        try:
            yield Tethered(int(said), ended)
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)
    finally:
        await pipe.close()


async def _code(pipe: Pipe) -> int:
    line = (await pipe.readline()).strip()
    return int(line) if line else -1  # the helper was killed, and nobody knows


def run(order: Order) -> None:
    """Until it ends, or stdin does."""
    with open(order.log, "ab") as log:  # noqa: PTH123 - inherited as it is
        try:
            process = subprocess.Popen(order.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            _say(error.strerror or str(error))
            return
    _say(str(process.pid))
    threading.Thread(target=_end_with_stdin, args=(process,), daemon=True).start()
    _say(str(process.wait()))


def _end_with_stdin(process: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
        return
    process.kill()


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more
        print(text, flush=True)  # noqa: T201 - it is the answer


def main() -> None:
    """Read the order, run it. The driver's raised priority is not for this program."""
    priority.give_up()
    run(Order.model_validate_json(sys.stdin.buffer.readline()))


if __name__ == "__main__":
    main()
