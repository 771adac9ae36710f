"""The fault `kill`: SIGKILL to a program, or to all programs of control planes; its supervisor starts it again."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import HostError
from fleet.faults.back import bring_back, processes, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import find, of_programs, own_programs
from fleet.host.daemon import kill
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class Kill(Plain):
    """See `Fault`."""

    name = "kill"
    momentary = True

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """See `Fault`."""
        return of_programs(wanted, own_programs(wanted, find(wanted, fleet, chosen), fleet), fleet)

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        found = processes(Supervisor(root), aim.parts)
        if not found:
            raise HostError(f"{', '.join(aim.parts)}: no process to kill")
        kill(found, grace=0.0)

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        bring_back(Supervisor(root), aim.parts)
        ready(root, aim.clusters)
