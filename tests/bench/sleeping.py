"""What a fleet of control planes takes of which most sleep, and how long the first request waits at one that does.

    fleet up -e fleet_name=thousand -e wec_count=1000 -e manager=none -e node_simulator=none -e wec_nodes=0 \\
      -e dense_hibernate=1m -e dense_shard_size=100
    python -m tests.bench.sleeping --fleet thousand --awake 250

It waits until all sleep, measures, wakes every fourth one and holds a watch there, which keeps it awake, and measures
again. The wait is that of the first request, connection included, with as many woken at a time as there are cores.
Memory is PSS of all programs of the fleet, CPU of a core. Exit code 1 when others were awake than those.
"""

from __future__ import annotations

import argparse
import http.client
import ssl
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import psutil

from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.https import Endpoint
from fleet.host.machine import Machine, Options
from fleet.host.process_stats import weigh
from fleet.host.program_folders import ProgramFolders
from fleet.model import fleet_load

MIB = 2**20
ASLEEP = "asleep"
WAKE_SECONDS = 300.0
"""For one to wake behind all others."""


@dataclass(frozen=True)
class Rest:
    """The whole fleet over a window in which nobody does anything."""

    states: Counter[str]
    pss: int
    cpu: float

    def line(self) -> str:
        """In words."""
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"{states}: {self.pss / MIB / 1024:.2f} GiB, {self.cpu:.3f} of a core"


@dataclass(frozen=True)
class Held:
    """A control plane that a watch keeps awake, after so many seconds until its first answer."""

    connection: http.client.HTTPSConnection
    watch: http.client.HTTPResponse
    seconds: float


@dataclass(frozen=True)
class Sleepers:
    """The dense control planes of one fleet on this machine."""

    machine: Machine
    servers: dict[str, str]

    def states(self) -> Counter[str]:
        """How many control planes are in each state."""
        sockets = sorted(self.machine.layout.run.glob("dense-*.sock"))
        return Counter(one.state for socket in sockets for one in DenseAdmin(socket).instances().values())

    def until_asleep(self, seconds: float) -> float:
        """Wait until no control plane is awake; how long that took. TimeoutError with the states after `seconds`."""
        began = time.monotonic()
        while set(states := self.states()) != {ASLEEP}:
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"after {seconds:.0f} s: {dict(states)}")
            time.sleep(1.0)
        return time.monotonic() - began

    def rest(self, calm: float, window: float) -> Rest:
        """After `calm` seconds, over `window` seconds."""
        time.sleep(calm)
        before, moment = weigh(self.machine.root), time.monotonic()
        time.sleep(window)
        after, passed = weigh(self.machine.root), time.monotonic() - moment
        used = sum(one.cpu_seconds for one in after) - sum(one.cpu_seconds for one in before)
        return Rest(self.states(), sum(one.pss for one in after), used / passed)

    def hold(self, names: Sequence[str], at_once: int) -> list[Held]:
        """Wake these, and keep them awake."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(self._wake, names))

    def _wake(self, name: str) -> Held:
        connection = connected(self.machine.endpoint(name, self.servers[name]))
        began = time.monotonic()
        connection.request("GET", "/api/v1/namespaces/default")
        with connection.getresponse() as answer:
            answer.read()
        seconds = time.monotonic() - began
        connection.request("GET", "/api/v1/namespaces?watch=true&timeoutSeconds=3600")
        watch = connection.getresponse()
        if not answer.status == watch.status == HTTPStatus.OK:
            raise ConnectionError(f"{name}: {answer.status}, {watch.status}")
        return Held(connection, watch, seconds)


def connected(endpoint: Endpoint) -> http.client.HTTPSConnection:
    """A connection that is opened by its first request and stays open."""
    context = ssl.create_default_context(cafile=str(endpoint.ca))
    context.load_cert_chain(str(endpoint.cert), str(endpoint.key))
    parts = urlsplit(endpoint.url)
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=WAKE_SECONDS, context=context)


def sleepers(name: str) -> Sleepers:
    """Of the fleet of that name."""
    folder = fleet_load.state_root() / name
    fleet = fleet_load.load_built(folder / fleet_load.FILE)
    machine = Machine(name, folder, ProgramFolders((), check=True), Options(), check=True)
    return Sleepers(machine, {one.name: one.server for one in fleet.clusters if one.driver == "dense"})


def main() -> int:
    """Print what was measured as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sleeping", description=__doc__)
    parser.add_argument("--fleet", required=True)
    parser.add_argument("--awake", type=int, required=True)
    parser.add_argument("--calm", type=float, default=30.0, help="seconds before each window")
    parser.add_argument("--window", type=float, default=60.0, help="seconds")
    parser.add_argument("--longest", type=float, default=900.0, help="seconds until all sleep")
    given = parser.parse_args()
    found = sleepers(given.fleet)
    names = sorted(found.servers)[:: max(1, len(found.servers) // given.awake)][: given.awake]
    print(f"all {len(found.servers)} sleep after {found.until_asleep(given.longest):.0f} s", flush=True)
    print(found.rest(given.calm, given.window).line(), flush=True)
    held = found.hold(names, psutil.cpu_count() or 1)
    waits = sorted(one.seconds for one in held)
    print(
        f"{len(waits)} woken: first answer after {waits[len(waits) // 2]:.2f} s (p50), {waits[-1]:.2f} s (max)",
        flush=True,
    )
    rest = found.rest(given.calm, given.window)
    print(rest.line(), flush=True)
    for one in held:
        one.watch.close()
        one.connection.close()
    return 0 if rest.states["ready"] == len(held) else 1


if __name__ == "__main__":
    sys.exit(main())
