"""The programs whose CPU and memory a series reports, and looks at them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import UsageError
from fleet.experiments.watch_scaling.steps import API_SERVER, STORE
from fleet.host.process_stats import ProcessWeight, weigh_pids
from fleet.model.fleet_file import FleetFile
from fleet.observe.processes import programs

DENSE = "dense"
COMPONENTS = {API_SERVER: ("kube-apiserver", DENSE), STORE: ("etcd",)}


@dataclass(frozen=True)
class Look:
    """Weights at one moment, by role."""

    seconds: float
    """Monotonic."""
    weights: Mapping[str, ProcessWeight]


class Scale:
    """takes the programs of one WEC, and those that the experiment started: `besides`, pid by role."""

    def __init__(self, fleet: FleetFile, wec: str) -> None:
        """UsageError where the API server of that WEC cannot be measured."""
        entry = next(cluster for cluster in fleet.wecs() if cluster.name == wec)
        machine = fleet.machine(entry.machine)
        if not entry.built or machine.connection != "local":
            raise UsageError(
                f"{wec}: watch-scaling measures its API server: it must run on this machine, in this fleet"
            )
        self._names = {role: _program(fleet, wec, machine.name, parts) for role, parts in COMPONENTS.items()}
        if self._names[API_SERVER].startswith(f"{DENSE}.") and len(fleet.wecs()) > 1:
            raise UsageError(
                f"{wec}: its API server shares a process with other WECs: fleet up -e control_plane_driver=process,"
                " or -e wec_count=1"
            )
        self._pids: Callable[[], Mapping[str, int]] = programs(Path(machine.state_dir))
        self.besides: dict[str, int] = {}

    async def look(self) -> Look:
        """Now."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Look:
        pids = self._pids()
        wanted = {role: pids[name] for role, name in self._names.items() if name in pids} | self.besides
        return Look(time.monotonic(), {weight.program: weight for weight in weigh_pids(sorted(wanted.items()))})


def _program(fleet: FleetFile, wec: str, machine: str, components: tuple[str, ...]) -> str:
    """The name under the supervisor; empty when the fleet runs none."""
    mine = [one for one in fleet.components if one.machine == machine and one.component in components]
    own = [one.program for one in mine if one.cluster == wec]
    return next(iter([*own, *(one.program for one in mine if one.component == DENSE)]), "")
