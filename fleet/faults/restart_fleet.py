"""The fault `restart-fleet`: every program of every machine ends, supervisors included, and all start again."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import UsageError
from fleet.faults.back import bring_back, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import FLEET
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class RestartFleet(Plain):
    """See `Fault`."""

    name = "restart-fleet"
    momentary = True

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - it is all of it
        """See `Fault`."""
        if wanted.target != FLEET:
            raise UsageError(f"{wanted.target}: restart-fleet is done to everything: write `target: {FLEET}`")
        foreign = [cluster.name for cluster in fleet.clusters if not cluster.built]
        if foreign:
            raise UsageError(f"{', '.join(foreign)} were not built by this testbed: it cannot restart them")
        return [
            Aim(
                action=self.name,
                target=FLEET,
                fleet=fleet.name,
                machine=machine.name,
                clusters=[c.name for c in fleet.clusters if c.machine == machine.name],
                programs=[p.program for p in fleet.components if p.machine == machine.name],
                repair=f"fleet up --fleet {fleet.name}",
            )
            for machine in fleet.machines
        ]

    def inject(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - all programs, whatever they are
        """See `Fault`."""
        Supervisor(root).shutdown()

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`. A supervisor starts with what it ran before."""
        supervisor = Supervisor(root)
        supervisor.daemon.ensure()
        bring_back(supervisor, [state.name for state in supervisor.states()])
        ready(root, aim.clusters)
