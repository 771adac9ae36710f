"""`fleet cluster`: list control planes; stop and start one, by its driver."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import FleetOption, OutputOption
from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.model.fleet_file import Cluster, FleetFile, Machine

app = typer.Typer(help="List control planes; stop and start one.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The cluster's name, for example wec001.")]


@app.command("list")
def list_(fleet: FleetOption = None, output: OutputOption = "table") -> None:
    """List the control planes of the fleet file, without asking them."""
    from fleet.cli.table import Column, render
    from fleet.model import fleet_load

    found = fleet_load.load(fleet_load.find(fleet), kubeconfigs=False)
    clusters = sorted(found.clusters, key=lambda cluster: cluster.name)
    if output == "json":
        out_items("ClusterList", [cluster.model_dump() for cluster in clusters], fleet=found.name)
        return
    columns = [Column(title) for title in ("CLUSTER", "ROLE", "DRIVER", "MACHINE", "SERVER")]
    rows = [[c.name, c.role.upper(), c.driver, c.machine, c.server] for c in clusters]
    out(render(columns, rows, ink_for(sys.stdout)))


@app.command()
def stop(name: NameArgument, fleet: FleetOption = None) -> None:
    """Stop one control plane until it is started again; its data stay."""
    from fleet.cli.drivers import driver_of

    found, cluster = _find(name, fleet)
    driver_of(found, cluster).stop(cluster.name)
    say(f"{cluster.name} is stopped; start it again with `fleet cluster start {cluster.name}`")


@app.command()
def start(name: NameArgument, fleet: FleetOption = None) -> None:
    """Start one control plane that was stopped, and wait until it is ready."""
    from fleet.cli.drivers import driver_of

    found, cluster = _find(name, fleet)
    driver_of(found, cluster).start(cluster.name)
    say(f"{cluster.name} is ready")


def _find(name: str, asked: str | None) -> tuple[FleetFile, Cluster]:
    from fleet.model import fleet_load

    found = fleet_load.load(fleet_load.find(asked), kubeconfigs=False)
    cluster = named(found, name)
    local_machine(found, cluster)
    return found, cluster


def named(fleet: FleetFile, name: str) -> Cluster:
    """The cluster of that name; UsageError with the nearest name when there is none."""
    from fleet.model.model_errors import nearest, shown

    for cluster in fleet.clusters:
        if cluster.name == name:
            return cluster
    raise UsageError(
        f"the fleet {fleet.name} has no cluster {shown(name)}{nearest(name, [c.name for c in fleet.clusters])}"
    )


def local_machine(fleet: FleetFile, cluster: Cluster) -> Machine:
    """The cluster's machine; UsageError when it is another than this one."""
    if not cluster.built:
        raise UsageError(
            f"{cluster.name} exists without this fleet: it is not stopped, started or looked into from here"
        )
    machine = fleet.machine(cluster.machine)
    if machine.connection != "local" or not Path(machine.state_dir).is_dir():
        raise UsageError(f"{cluster.name} is on machine {machine.name}: run this command there")
    return machine
