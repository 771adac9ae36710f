"""`fleet lab`: machines for a fleet on this machine, as network namespaces with their own SSH servers."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption

if TYPE_CHECKING:
    from fleet.lab.control import Host

app = typer.Typer(help="Machines on this machine: network namespaces with SSH servers (root).", no_args_is_help=True)
MachineArgument = Annotated[str, typer.Argument(metavar="MACHINE", help="The machine's name, for example m2.")]


@app.command()
def up(
    machines: Annotated[int, typer.Option("--machines", "-m", metavar="M", help="How many there shall be.")] = 3,
    subnet: Annotated[
        str | None,
        typer.Option("--subnet", metavar="NET/24", show_default=False, help="Their network. Default: 10.77.0.0/24."),
    ] = None,
) -> None:
    """Make the lab have M machines; those that run are left alone. inventories/lab finds them."""
    from fleet.lab import control

    made = control.up(_host(), machines, subnet)
    for machine in made.machines:
        out(f"{machine.name} {machine.address}")
    say(f"{machines} machines; Ansible reaches them with `-i inventories/lab`")


@app.command()
def down() -> None:
    """Remove all machines with everything in them; the network, users and files of the lab go too."""
    from fleet.lab import control

    say("the lab is gone" if control.down(_host()) else "there is no lab: nothing to remove")


@app.command()
def status(output: OutputOption = "table") -> None:
    """List the machines: whether each runs and answers, what it takes."""
    from fleet.cli import units
    from fleet.cli.table import Column, render
    from fleet.lab import control

    found = control.status(_host())
    if output == "json":
        out_items("LabMachineList", [asdict(machine) for machine in found])
        return
    columns = [Column(title) for title in ("MACHINE", "ADDRESS", "STATE", "MEMORY", "CPU TIME")]
    rows = [
        [
            m.name,
            m.address,
            "ready" if m.reachable else "unreachable" if m.running else "stopped",
            "-" if m.memory is None else units.size(m.memory),
            "-" if m.cpu is None else units.span(m.cpu),
        ]
        for m in found
    ]
    out(render(columns, rows, ink_for(sys.stdout)))


@app.command()
def cut(machine: MachineArgument) -> None:
    """Pull a machine's cable: it keeps running and cannot be reached."""
    from fleet.lab import control

    control.connect(_host(), machine, plugged=False)
    say(f"{machine} is cut off; plug it in again with `fleet lab repair {machine}`")


@app.command()
def repair(machine: MachineArgument) -> None:
    """Plug a machine's cable in again."""
    from fleet.lab import control

    control.connect(_host(), machine, plugged=True)
    say(f"{machine} is connected")


def _host() -> Host:
    from fleet.lab.cgroups import hierarchies
    from fleet.lab.control import Host
    from fleet.lab.system import LinuxSystem
    from fleet.model.fleet_load import state_root

    mounts = Path("/proc/mounts").read_text(encoding="utf-8")
    return Host(LinuxSystem(), state_root(), tuple(hierarchies(mounts)), say)
