"""The fault `disconnect`: a machine's agents lose their connections to the hub and get an error for new ones."""

from __future__ import annotations

from pathlib import Path

from fleet.faults.by_link import LinkApi, through_link
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class Disconnect(Plain):
    """See `Fault`."""

    name = "disconnect"

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`."""
        return [through_link(wanted, fleet)]

    def inject(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - all is said by the action
        """See `Fault`."""
        LinkApi(root).send("POST", "", {"enabled": False})

    def heal(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - the same
        """See `Fault`."""
        LinkApi(root).send("POST", "", {"enabled": True})
