"""The managers that there are, each a package here; one is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from fleet.errors import UsageError
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile

NAMES = ("kubestellar", "ocm", "karmada", "kubefleet", "none")
"""By the word in `fleet.json` and in the variable `manager`. To add a manager, write its package and add its name."""


def load(name: str) -> Manager:
    """The manager of that name: `MANAGER` of its package's module `manager`. UsageError for a name that is none."""
    if name not in NAMES:
        raise UsageError(f"manager: {name!r} is not one of {', '.join(NAMES)}")
    return cast("Manager", import_module(f"fleet.managers.{name}.manager").MANAGER)


def of(fleet: FleetFile) -> Manager:
    """The manager of that fleet, as it is installed there."""
    return load(fleet.manager.name).for_fleet(fleet)
