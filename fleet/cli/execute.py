"""`fleet exec`: run a command on a machine of the fleet, or on the machine of a cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.options import FleetOption
from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.model.fleet_file import FleetFile, Machine


def execute(
    name: Annotated[str, typer.Argument(metavar="MACHINE|CLUSTER", help="For example m2 or wec001.")],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="The program and its arguments.")],
    fleet: FleetOption = None,
) -> None:
    """Run a command there, as the fleet's user. Ends with the command's own exit code."""
    from fleet.model import fleet_load

    machine = machine_of(fleet_load.load(fleet_load.find(fleet), kubeconfigs=False), name)
    if machine.connection == "local":
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    from fleet.remote.shell import FabricShell

    def take(block: bytes) -> None:
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()

    def complain(block: bytes) -> None:
        sys.stderr.buffer.write(block)
        sys.stderr.buffer.flush()

    with FabricShell(machine) as shell:
        # A terminal there only for one here: it would turn every newline into two characters.
        code = shell.follow(command, take, None if sys.stdout.isatty() else complain)
    raise typer.Exit(code)


def machine_of(fleet: FleetFile, name: str) -> Machine:
    """The machine of that name, or of the cluster of that name; UsageError with the nearest name when there is none."""
    from fleet.model.model_errors import nearest, shown

    machines = {machine.name: machine for machine in fleet.machines}
    if name in machines:
        return machines[name]
    places = {cluster.name: cluster.machine for cluster in fleet.clusters}
    if name in places:
        return machines[places[name]]
    raise UsageError(f"there is no machine or cluster {shown(name)}{nearest(name, machines.keys() | places.keys())}")
