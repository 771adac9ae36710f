"""`make soak`: control planes of one process come, go and stop under load, for half an hour, with the race detector.

    python -m tests.bench.soak --seconds 1800 --planes 4

It fails for a data race in the log, for a request that fails on a control plane that nobody touched, and when the
process holds more goroutines, or much more memory, at the end than it did at first with the same control planes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.https import Endpoint
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane
from fleet.host.records import stored_server
from fleet.install.control_planes import converge, teardown
from fleet.toolchain import Toolchain, catalogue, golang, locate
from fleet.toolchain.build import ENVIRONMENT
from fleet.toolchain.patches import Patching
from fleet.toolchain.store import default_cache
from tests.bench.plane_cost import page

REPO = Path(__file__).resolve().parents[2]
GROUP = "controlplane"
RACE = "WARNING: DATA RACE"
GOROUTINES = "/debug/pprof/goroutine?debug=1"
SHOWN = 15
"""Functions in which there are more goroutines at the end."""
KEPT = "wec001"
"""The control plane that nobody touches."""
CALM_SECONDS = 60.0
MORE_GOROUTINES, MORE_MEMORY = 1.02, 1.15
"""What may be left over, as a factor: timers that run out, pools that fill."""


@dataclass(frozen=True)
class Programs:
    """The toolchain, with another file for the dense process."""

    toolchain: Toolchain
    others: Mapping[str, Path]

    def program(self, name: str) -> Path:
        """The executable of that name."""
        return self.others.get(name) or self.toolchain.program(name)


def racing(folder: Path) -> Path:
    """The dense program with the race detector; needs Go and a C compiler, and takes minutes."""
    source = REPO / "toolchain"
    known = catalogue.load(source)
    go = golang.find(default_cache(), known.go_wheel)
    if go.program is None:
        raise SystemExit("soak: no Go in PATH")
    modfile = Patching(go.program, source, GROUP, known.groups[GROUP], default_cache()).modfile()
    flags = ["-race", "-trimpath", *([f"-modfile={modfile}"] if modfile else [])]
    command = [str(go.program), "build", *flags, "-o", str(folder / "dense"), "./cmd/kube"]
    subprocess.run(command, cwd=source / GROUP, check=True, env={**os.environ, **ENVIRONMENT, "CGO_ENABLED": "1"})
    return folder / "dense"


@dataclass
class Load:
    """ConfigMaps written to and read from one control plane, as fast as it answers; counts what fails."""

    endpoint: Endpoint
    done: int = 0
    failed: list[str] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `end`."""
        path = "/api/v1/namespaces/default/configmaps"
        while not self._ends.is_set():
            name = f"soak-{self.done}"
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": name}}
            try:
                statuses = [
                    self.endpoint.request("POST", path, body).status,
                    self.endpoint.request("GET", f"{path}/{name}").status,
                    self.endpoint.request("DELETE", f"{path}/{name}").status,
                ]
            except OSError as error:
                self.failed.append(str(error))
                continue
            self.done += 1
            if any(status >= HTTPStatus.BAD_REQUEST for status in statuses):
                self.failed.append(f"{name}: {statuses}")

    def end(self) -> None:
        """After the request under way."""
        self._ends.set()


def planes(count: int) -> list[ControlPlane]:
    """`wec001` and so on."""
    return [ControlPlane(f"wec{n:03}", "wec", "dense") for n in range(1, count + 1)]


def size(admin: DenseAdmin) -> tuple[float, float]:
    """Goroutines, and bytes live after a collection."""
    heap = page(admin.socket, "/debug/pprof/heap?gc=1&debug=1")
    goroutines = page(admin.socket, GOROUTINES)
    return _number(rb"total (\d+)", goroutines), _number(rb"# HeapAlloc = (\d+)", heap)


def stacks(admin: DenseAdmin) -> Counter[str]:
    """How many goroutines are in each function, by the innermost one."""
    found: Counter[str] = Counter()
    for count, frame in re.findall(rb"(?m)^(\d+) @.*\n#\t0x\w+\t([^\t+]+)", page(admin.socket, GOROUTINES)):
        found[frame.decode()] += int(count)
    return found


def races(log: str) -> list[str]:
    """The race detector's reports."""
    return [block.strip() for block in log.split("=" * 18) if RACE in block]


def _number(pattern: bytes, text: bytes) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"no {pattern!r} in the profile")
    return float(found[1])


def rounds(machine: Machine, count: int, seconds: float, seed: int) -> list[str]:
    """Change something until the time is over; what was wrong."""
    chance = random.Random(seed)  # noqa: S311 - which one is changed, no secret
    admin = DenseAdmin(machine.layout.run / "dense-0.sock")
    converge(machine, planes(count), hub=False)
    time.sleep(CALM_SECONDS)
    before, were = size(admin), stacks(admin)
    load = Load(machine.endpoint(KEPT, stored_server(machine, KEPT)))
    thread = threading.Thread(target=load.run)
    thread.start()
    end, changes = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end:
            change = chance.choice(["fewer", "more", "restart", "wake"])
            other = f"wec{chance.randint(2, count):03}"
            if change == "fewer":
                converge(machine, planes(chance.randint(1, count - 1)), hub=False)
            elif change == "more":
                converge(machine, planes(count), hub=False)
            elif other in admin.instances():
                admin.stop(other)
                if change == "wake":
                    time.sleep(chance.random())
                admin.start(other)
            changes += 1
    finally:
        load.end()
        thread.join()
    converge(machine, planes(count), hub=False)
    time.sleep(CALM_SECONDS)
    after = size(admin)
    print(f"{changes} changes, {load.done} rounds of load; goroutines {before[0]:.0f} -> {after[0]:.0f}, "
          f"heap {before[1] / 2**20:.1f} -> {after[1] / 2**20:.1f} MiB")  # fmt: skip
    wrong = [f"{KEPT}, which nobody touched: {text}" for text in load.failed[:5]]
    if after[0] > MORE_GOROUTINES * before[0]:
        wrong.append(f"{after[0] - before[0]:.0f} goroutines are left over")
        wrong += [f"{count} more in {name}" for name, count in (stacks(admin) - were).most_common(SHOWN)]
    if after[1] > MORE_MEMORY * before[1]:
        wrong.append(f"{(after[1] - before[1]) / 2**20:.1f} MiB are left over")
    return wrong


def main() -> int:
    """Exit code 1 for anything wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--planes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-race", action="store_true", help="the built program, without the race detector")
    given = parser.parse_args()
    toolchain = locate(REPO / "toolchain")
    with tempfile.TemporaryDirectory(prefix="fleet-soak-") as name:
        folder = Path(name)
        others = {} if given.no_race else {"dense": racing(folder)}
        options = Options(wec_nodes=0, simulator="none", parallelism=2, ready_seconds=900.0)
        machine = Machine("soak", folder / "soak", Programs(toolchain, others), options)
        try:
            wrong = rounds(machine, given.planes, given.seconds, given.seed)
            log = machine.layout.program_log("dense.0").read_text(encoding="utf-8", errors="replace")
            found = races(log)
            wrong += [f"{len(found)} data races", *found] if found else []
        finally:
            teardown(machine)
    for line in wrong:
        print(f"soak: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
