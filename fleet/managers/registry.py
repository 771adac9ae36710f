"""The managers that there are, each a package here with a module `manager`, whose MANAGER is found by its folder."""

from __future__ import annotations

from fleet.managers.manager import Manager
from fleet.model.by_folder import ByFolder
from fleet.model.fleet_file import FleetFile

MANAGERS = ByFolder("fleet.managers", "manager", "MANAGER", variable="manager")
"""By the word in `fleet.json` and in the variable `manager`."""


def names() -> list[str]:
    """All of them, sorted."""
    return MANAGERS.names()


def load(name: str) -> Manager:
    """The manager of that name. UsageError for an unknown name."""
    found: Manager = MANAGERS.load(name)
    return found


def of(fleet: FleetFile) -> Manager:
    """The manager of that fleet, as it is installed there."""
    return load(fleet.manager.name).for_fleet(fleet)
