"""The fault `stop`: control planes by their driver, or a program by its supervisor, as `fleet cluster stop` does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet.faults.back import bring_back
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import find, of_planes, of_programs
from fleet.host.supervise import Supervisor
from fleet.install.control_planes import driver_at
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

AT_ONCE = 8


class Stop(Plain):
    """See `Fault`."""

    name = "stop"

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """See `Fault`."""
        found = find(wanted, fleet, chosen)
        if found.program is not None:
            return of_programs(wanted, [found.program], fleet)
        repair = f"fleet cluster start {wanted.target} --fleet {fleet.name}" if len(found.clusters) == 1 else ""
        return of_planes(wanted, found.clusters, fleet, repair)

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        for name in aim.parts:
            Supervisor(root).stop(name)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: driver_at(aim.fleet, root, name).stop(name), aim.planes))

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        bring_back(Supervisor(root), aim.parts)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: driver_at(aim.fleet, root, name).start(name), aim.planes))
