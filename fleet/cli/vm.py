"""`fleet vm`: virtual machines for a fleet on this machine, by QEMU with KVM or plain emulation."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption

if TYPE_CHECKING:
    from fleet.vm.control import Host

app = typer.Typer(help="Virtual machines on this machine: QEMU, cloud-init, SSH on loopback.", no_args_is_help=True)
ImageOption = Annotated[
    str, typer.Option("--image", metavar="FILE|URL", help="A disk image with cloud-init; a URL needs --sha256.")
]


@app.command()
def up(
    image: ImageOption,
    machines: Annotated[int, typer.Option("--machines", "-m", metavar="M", help="How many there shall be.")] = 1,
    sha256: Annotated[str, typer.Option("--sha256", metavar="HEX", help="Of the image.")] = "",
    cpus: Annotated[int, typer.Option("--cpus", metavar="N", help="Of each machine.")] = 2,
    memory: Annotated[int, typer.Option("--memory", metavar="MIB", help="Of each machine.")] = 3072,
    disk: Annotated[int, typer.Option("--disk", metavar="GIB", help="Of each machine, at most.")] = 10,
    accelerator: Annotated[
        str, typer.Option("--accelerator", metavar="auto|kvm|tcg", help="tcg is plain emulation.")
    ] = "auto",
    outside: Annotated[bool, typer.Option("--outside", help="Let them reach this host and beyond.")] = False,
    kernel: Annotated[str, typer.Option("--kernel", metavar="FILE", help="Of an image without boot loader.")] = "",
    initrd: Annotated[str, typer.Option("--initrd", metavar="FILE", help="Of an image without boot loader.")] = "",
) -> None:
    """Have M machines, each answering over SSH; those that run are left alone. inventories/qemu finds them."""
    from fleet.vm import control
    from fleet.vm.spec import wanted_of

    given = {"url": image} if "://" in image else {"path": str(Path(image).expanduser().absolute())}
    boot = {"kernel": _absolute(kernel), "initrd": _absolute(initrd)}
    size = {"cpus": cpus, "memory_mib": memory, "disk_gib": disk, "accelerator": accelerator, "outside": outside}
    for vm in control.up(_host(), machines, wanted_of({**given, **boot, "sha256": sha256}, size)):
        out(f"{vm.name} 127.0.0.1:{vm.port}")
    say(f"{machines} machines; Ansible reaches them with `-i inventories/qemu`")


@app.command()
def down() -> None:
    """Remove all machines with their disks and keys."""
    from fleet.vm import control

    say("the machines are gone" if control.down(_host()) else "there are no machines: nothing to remove")


@app.command()
def status(output: OutputOption = "table") -> None:
    """List the machines: whether each runs and answers."""
    from fleet.cli.table import Column, render
    from fleet.vm import control

    found = control.status(_host())
    if output == "json":
        out_items("VmList", [asdict(vm) for vm in found])
        return
    columns = [Column(title) for title in ("MACHINE", "SSH", "BY", "STATE")]
    rows = [
        [vm.name, vm.address, vm.accelerator, "ready" if vm.reachable else "unreachable" if vm.running else "stopped"]
        for vm in found
    ]
    out(render(columns, rows, ink_for(sys.stdout)))


def _absolute(text: str) -> str:
    return str(Path(text).expanduser().absolute()) if text else ""


def _host() -> Host:
    from fleet.lab.system import LinuxSystem
    from fleet.model.fleet_load import state_root
    from fleet.toolchain.store import default_cache
    from fleet.vm.control import Host

    return Host(LinuxSystem(), state_root(), default_cache(), say)
