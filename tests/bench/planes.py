"""Density and speed of control planes: ours by each driver alongside a loop of kwokctl, in turn, in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import psutil

from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.targets.kwokctl import Kwokctl
from fleet.experiments.density.targets.target import Ground
from fleet.host.machine import Machine, Options, at_once
from fleet.host.plan import ControlPlane
from fleet.host.process_stats import weigh_pids
from fleet.install.control_planes import converge, teardown
from fleet.toolchain import Toolchain
from tests.bench.ratios import Ratio, paired

CALM_SECONDS = 30.0
"""After bring-up, before measuring: controllers have synced and the first garbage collections have run."""
WINDOW_SECONDS = 30.0
"""Over which idle CPU is taken."""


class System(Protocol):
    """Something that makes control planes and takes them away."""

    name: str

    def up(self, count: int) -> None:
        """Make them, all ready."""

    def down(self) -> None:
        """Take them away."""

    def pids(self) -> list[int]:
        """Every process of theirs."""


class Ours:
    """Our control planes by one driver, each with its kwok and without nodes, as kwokctl's are."""

    def __init__(self, driver: Literal["dense", "process"], toolchain: Toolchain, folder: Path) -> None:
        self.name = driver
        self._driver: Literal["dense", "process"] = driver
        cores = psutil.cpu_count() or 1
        options = Options(
            wec_nodes=0, simulator="kwok", hosted=driver == "dense", cores=cores, parallelism=at_once(cores)
        )
        self._machine = Machine("bench", folder / "bench", toolchain, options)

    def up(self, count: int) -> None:
        """All in one call."""
        planes = [ControlPlane(f"wec{number:03}", "wec", self._driver) for number in range(1, count + 1)]
        converge(self._machine, planes, hub=False)

    def down(self) -> None:
        """Everything of the fleet."""
        teardown(self._machine)

    def pids(self) -> list[int]:
        """The supervisor's programs and itself."""
        states = self._machine.supervisor.states()
        return [state.pid for state in states if state.pid] + [
            process.pid for process in self._machine.supervisor.daemon.processes()
        ]


class Reference:
    """A loop of `kwokctl create cluster --runtime binary` with the same programs."""

    name = "kwokctl"

    def __init__(self, toolchain: Toolchain, folder: Path) -> None:
        spec = DensityFile.model_validate({"experiment": "density", "target": "kwokctl"})
        self._target = Kwokctl(Ground(folder / "kwokctl", spec, toolchain))

    def up(self, count: int) -> None:
        """Each waited for."""
        self._target.launch(count)
        self._target.create(count)

    def down(self) -> None:
        """All of them."""
        self._target.down()

    def pids(self) -> list[int]:
        """Of every program of every cluster."""
        return [one.pid for one in self._target.running()]


@dataclass(frozen=True)
class Round:
    """What one bring-up of one system took: seconds, and per control plane bytes and shares of a core."""

    seconds: float
    pss: float
    anonymous: float
    cpu: float


def measure(system: System, count: int) -> Round:
    """Bring up `count`, let them calm down, measure them, take them away."""
    start = time.monotonic()
    try:
        system.up(count)
        seconds = time.monotonic() - start
        time.sleep(CALM_SECONDS)
        before, moment = _cpu(system.pids()), time.monotonic()
        time.sleep(WINDOW_SECONDS)
        after, window = _cpu(system.pids()), time.monotonic() - moment
        weights = weigh_pids((system.name, pid) for pid in system.pids())
    finally:
        system.down()
    return Round(
        seconds,
        sum(weight.pss for weight in weights) / count,
        sum(weight.anonymous for weight in weights) / count,
        (after - before) / window / count,
    )


def _cpu(pids: Sequence[int]) -> float:
    """CPU seconds so far, user and system, of all processes."""
    total = 0.0
    for pid in pids:
        times = psutil.Process(pid).cpu_times()
        total += times.user + times.system
    return total


def run(toolchain: Toolchain, count: int, repeats: int) -> list[Ratio]:
    """The rows of the table: memory, idle CPU and bring-up of both drivers over kwokctl."""
    rounds: dict[str, list[Round]] = {"dense": [], "process": [], "kwokctl": []}
    for _ in range(repeats):
        # A short path: unix sockets of the fleet lie below it (107 bytes at most).
        with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
            systems: list[System] = [
                Ours("dense", toolchain, Path(folder)),
                Ours("process", toolchain, Path(folder)),
                Reference(toolchain, Path(folder)),
            ]
            for system in systems:
                rounds[system.name].append(measure(system, count))
    return [row for driver in ("dense", "process") for row in _rows(driver, rounds[driver], rounds["kwokctl"])]


GOALS = {
    "dense": {"pss": "<= 0.35x", "cpu": "<= 0.3x", "seconds": "<= 0.25x (4x faster)"},
    "process": {"pss": "<= 0.7x", "cpu": "<= 0.7x", "seconds": "<= 0.67x (1.5x faster)"},
}


def _rows(driver: str, ours: Sequence[Round], reference: Sequence[Round]) -> list[Ratio]:
    mib, goal = 2**20, GOALS[driver]
    return [
        paired(
            f"{driver}: PSS of an idle control plane",
            "MiB",
            [r.pss / mib for r in ours],
            [r.pss / mib for r in reference],
            goal["pss"],
        ),
        paired(
            f"{driver}: anonymous memory of the same",
            "MiB",
            [r.anonymous / mib for r in ours],
            [r.anonymous / mib for r in reference],
            "none",
        ),
        paired(
            f"{driver}: idle CPU of a control plane",
            "% core",
            [100 * r.cpu for r in ours],
            [100 * r.cpu for r in reference],
            goal["cpu"],
        ),
        paired(
            f"{driver}: wall time until all are ready",
            "s",
            [r.seconds for r in ours],
            [r.seconds for r in reference],
            goal["seconds"],
        ),
    ]
