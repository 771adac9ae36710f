"""Which control planes are on the machine, whole or half-made, by the record that each keeps in its
folder."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fleet.errors import HostError, UsageError
from fleet.host.files import remove_tree
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.plan import PLANE_FILE
from fleet.model.fleet_file import DriverName, Role


@dataclass(frozen=True)
class Stored:
    """A control plane that is on the machine."""

    name: str
    role: Role
    driver: DriverName
    server: str


def stored_planes(layout: Layout) -> list[Stored]:
    """All control planes on the machine, by name."""
    found = []
    for path in sorted(layout.clusters.glob(f"*/{PLANE_FILE}")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            found.append(Stored(document["name"], document["role"], document["driver"], document["server"]))
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(f"{path} is damaged ({error!r}): take the fleet down and build it again") from error
    return found


def stored_server(machine: Machine, name: str) -> str:
    """The API server's URL of a control plane that is on the machine; UsageError when there is none of
    that name."""
    planes = stored_planes(machine.layout)
    for stored in planes:
        if stored.name == name:
            return stored.server
    known = ", ".join(stored.name for stored in planes) or "none"
    raise UsageError(f"there is no control plane {name} on this machine; there are: {known}")


def debug_owner(name: str) -> str:
    """Who holds the ports of a control plane's debug listeners in the port registry."""
    return f"debug.{name}"


def remove_plane(machine: Machine, name: str) -> None:
    """Give back the ports and remove logs and files of a control plane whose programs are gone; its record
    goes last."""
    for log in machine.layout.log.glob(f"*.{name}.log*"):
        log.unlink(missing_ok=True)
    for owner in (name, debug_owner(name)):
        machine.registry.give_back(machine.fleet, owner)
    folder = machine.layout.cluster(name)
    if folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.name != PLANE_FILE:
                remove_tree(entry)
    remove_tree(folder)
