"""The fault `pause`: programs stopped by SIGSTOP and continued: their connections stay, and nothing answers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from fleet.errors import HostError
from fleet.faults.back import bring_back, processes, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import find, of_programs, own_programs
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class Pause(Plain):
    """See `Fault`."""

    name = "pause"

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """See `Fault`."""
        return of_programs(wanted, own_programs(wanted, find(wanted, fleet, chosen), fleet), fleet)

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        found = processes(Supervisor(root), aim.parts)
        if not found:
            raise HostError(f"{', '.join(aim.parts)}: no process to stop")
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        supervisor = Supervisor(root)
        for process in processes(supervisor, aim.parts):
            with suppress(psutil.NoSuchProcess):
                process.resume()
        bring_back(supervisor, aim.parts)
        ready(root, aim.clusters)
