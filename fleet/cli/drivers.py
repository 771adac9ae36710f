"""The driver of one control plane of this machine: to stop it, start it, and find the programs that carry it."""

from __future__ import annotations

from pathlib import Path

from fleet.cli.cluster import local_machine
from fleet.errors import ToolchainError
from fleet.host.drivers.driver import Driver
from fleet.host.machine import Machine
from fleet.install.control_planes import driver_of as host_driver_of
from fleet.model.fleet_file import Cluster, FleetFile


class _NoPrograms:
    """Stopping and starting need no program that is not there already."""

    def program(self, name: str) -> Path:
        """Refuses."""
        raise ToolchainError(f"{name} is not to be planned from the command line: use `fleet up`")


def driver_of(fleet: FleetFile, cluster: Cluster) -> Driver:
    """The driver that runs `cluster` on this machine; UsageError when it is on another, or gone."""
    root = Path(local_machine(fleet, cluster).state_dir)
    return host_driver_of(Machine(fleet.name, root, _NoPrograms()), cluster.name)
