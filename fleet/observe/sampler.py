"""The program alongside the driver that measures and scrapes: `python -m fleet.observe.sampler`, spoken to over its
pipes.

A process of its own, because a metrics page of an API server is 3 MB of TLS and text: read in the driver it made the
event loop 170 ms late on a busy machine (a thread does not help, it shares the interpreter's lock), and stamps with it.

First line of stdin: an `Opening` as JSON. Then one order per line, `sample`, `busy SECONDS`, `rest CLUSTER...` or
`besides {"PROGRAM": PID}` (programs of an experiment's own, measured from now on in place of the former); the answer is
any number of event lines (for `busy` one JSON string), ended by an empty line. End of stdin ends it: it never outlives
the driver.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import orjson

from fleet.kube import cluster_client
from fleet.model.base import Model
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.observe import priority
from fleet.observe.disturbance_watch import DisturbanceWatch
from fleet.observe.host_load import HostLoad
from fleet.observe.metrics import Scraper, targets
from fleet.observe.processes import Weigher
from fleet.results.events import Anomaly, Line, encode


class Opening(Model):
    """What the sampler is given first."""

    fleet: FleetFile
    manager: ManagerRecord
    everybody: bool = False
    """Scrape every program with metrics, not only the hub's."""
    driver: int = 0
    """The driver's process id; 0 on another machine than its own."""


class Answer:
    """Collects the lines of one answer."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def record(self, line: Line) -> None:
        """Take one line."""
        self._lines.append(encode(line))

    def anomaly(self, what: str, text: str, *, cluster: str = "") -> None:
        """Take one anomaly, stamped now."""
        self.record(Anomaly(ns=time.monotonic_ns(), wall=time.time_ns(), what=what, cluster=cluster, text=text))

    def take(self) -> bytes:
        """All lines so far, which are then forgotten."""
        lines, self._lines = self._lines, []
        return b"".join(lines)


async def serve(opening: Opening) -> None:
    """Answer orders until stdin ends."""
    answer, fleet = Answer(), opening.fleet
    weigher, host = Weigher(fleet), HostLoad(fleet, opening.driver)
    allowed = [machine.address for machine in fleet.machines]
    async with AsyncExitStack() as stack:
        hub = [
            await stack.enter_async_context(cluster_client.opened(entry, allowed, retry_seconds=0.0))
            for entry in fleet.hub()
        ]
        # No program of a WEC that is not ours can be measured: its API server has metrics, if it may be asked.
        wecs = [
            await stack.enter_async_context(cluster_client.opened(entry, allowed, retry_seconds=0.0))
            for entry in fleet.wecs()
            if not entry.built
        ]
        disturbances = DisturbanceWatch(fleet, hub)
        async with Scraper(targets(fleet, hub, opening.manager, wecs, everybody=opening.everybody), answer) as scraper:
            while order := await asyncio.to_thread(sys.stdin.buffer.readline):
                name, _, argument = order.decode().strip().partition(" ")
                if name == "sample":
                    weighed = await asyncio.to_thread(weigher.sample)
                    for line in weighed:
                        answer.record(line)
                    answer.record(await asyncio.to_thread(host.sample))
                    await scraper.scrape()
                    for seen in await disturbances.look(weighed):
                        answer.record(seen)
                    for line in await asyncio.to_thread(weigher.sample_besides):
                        answer.record(line)
                    said = answer.take()
                elif name == "besides":
                    weigher.besides, said = orjson.loads(argument), b""
                elif name == "rest":
                    scraper.resting, said = frozenset(argument.split()), b""
                else:
                    busy: Any = await scraper.busy(float(argument))
                    said = orjson.dumps(busy) + b"\n"
                sys.stdout.buffer.write(said + b"\n")
                sys.stdout.buffer.flush()


def main() -> None:
    """Read what to look at, serve. The driver's raised priority is not for this program."""
    priority.give_up()
    asyncio.run(serve(Opening.model_validate_json(sys.stdin.buffer.readline())))


if __name__ == "__main__":
    main()
