"""The driver of one control plane of this machine: to stop it, start it, and find the programs that carry it."""

from __future__ import annotations

from pathlib import Path

from fleet.cli.cluster import local_machine
from fleet.host.drivers.driver import Driver
from fleet.install.control_planes import driver_at
from fleet.model.fleet_file import Cluster, FleetFile


def driver_of(fleet: FleetFile, cluster: Cluster) -> Driver:
    """The driver that runs `cluster` on this machine; UsageError when it is on another, or gone."""
    return driver_at(fleet.name, Path(local_machine(fleet, cluster).state_dir), cluster.name)
