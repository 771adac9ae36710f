"""Makes the platforms of one machine what they should be: the fleet's are installed, others are taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from fleet.host.change import Change
from fleet.host.files import private_directory, remove_tree, write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.plan import Plan
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import sections
from fleet.host.weight import Weight
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.install.upstream import UpstreamFolders
from fleet.model.variables import Variables
from fleet.platforms.platform import FOLDER, Seat, Start, chosen_wecs, known, platform, port_owner

GROUP = "platforms"
"""The supervisor's group of all programs of platforms."""
PROGRAMS = "programs"
"""File of a seat: folders of the programs that it was installed with, one per line."""


def wanted_seats(machine: Machine, upstream: UpstreamFolders, variables: Variables, wecs: Sequence[str]) -> list[Seat]:
    """Where the fleet's platforms shall be on this machine, which has those WECs."""
    servers = {stored.name: stored.server for stored in stored_planes(machine.layout)}
    return [
        Seat(machine, wec, name, upstream, variables, servers.get(wec, ""))
        for wec in chosen_wecs(variables)
        if wec in wecs
        for name in variables.platform
    ]


def installed(layout: Layout) -> list[tuple[str, str]]:
    """Platforms that the machine has, whole or half-made, each with its WEC."""
    folders = sorted((layout.root / FOLDER).glob("*/*/"))
    return [(folder.parent.name, folder.name) for folder in folders]


def to_come(layout: Layout, variables: Variables, wecs: Sequence[str]) -> list[tuple[str, Weight]]:
    """Platforms that shall be on the machine and are not yet, in words, each with what it takes."""
    there = installed(layout)
    return [
        (f"{name} in {wec}", platform(name).weight)
        for wec in chosen_wecs(variables)
        if wec in wecs
        for name in variables.platform
        if (name, wec) not in there
    ]


def leave(machine: Machine, upstream: UpstreamFolders, variables: Variables, wecs: Sequence[str]) -> Change:
    """Take out what is not wanted, before the control planes of WECs change or go."""
    wanted = {(seat.platform, seat.wec) for seat in wanted_seats(machine, upstream, variables, wecs)}
    servers = {stored.name: stored.server for stored in stored_planes(machine.layout)}
    gone = [pair for pair in installed(machine.layout) if pair not in wanted]
    seats = [Seat(machine, wec, name, upstream, variables, servers.get(wec, "")) for name, wec in gone]
    return Change.merge(
        _take_out(replace(seat, upstream=_with_its_own(seat, upstream)), stays=seat.wec in wecs) for seat in seats
    )


def converge(machine: Machine, upstream: UpstreamFolders, variables: Variables, wecs: Sequence[str]) -> Change:
    """Install what is wanted; with `machine.check` only say what would change. `leave` was called before."""
    seats = wanted_seats(machine, upstream, variables, wecs)
    if not seats:
        return Change.none()
    if not machine.check:
        for seat in seats:
            private_directory(seat.folder)
            write_private(seat.folder / PROGRAMS, "\n".join(map(str, upstream.folders)).encode())
    pki = machine.pki()
    done = materialise(machine, Plan.merge(platform(seat.platform).plan(seat) for seat in seats), pki)
    ledger = Ledger(check=machine.check)
    if machine.check:
        asyncio.run(_install(seats, ledger, _start_nothing))
        change = machine.supervisor.converge(GROUP, done.programs, check=True)
    else:
        with machine.supervisor.stage(GROUP, done.programs) as staged:
            asyncio.run(_install(seats, ledger, staged.start))
        machine.supervisor.settle(staged.watched)
        change = staged.change
    return Change.merge([done.change, change, ledger.change])


def _with_its_own(seat: Seat, upstream: UpstreamFolders) -> UpstreamFolders:
    """The programs that the fleet needs now, and those that the platform was installed with: a fleet that is to have it
    no longer is given none of them."""
    file = seat.folder / PROGRAMS
    own = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return replace(upstream, folders=(*upstream.folders, *map(Path, own)))


def _start_nothing(names: Iterable[str]) -> None:
    """In check mode."""


async def _install(seats: Sequence[Seat], ledger: Ledger, start: Start) -> None:
    for seat in seats:
        if ledger.check and not seat.server:
            ledger.record(f"{seat.wec} {seat.platform}", None, "installed")
            continue
        async with dial.client(seat.layout, seat.wec) as client:
            if ledger.check and not await dial.answers(client):
                ledger.record(f"{seat.wec} {seat.platform}", "unknown", "unknown: the API server does not answer")
                continue
            await platform(seat.platform).install(seat, client, ledger, start)


def _take_out(seat: Seat, *, stays: bool) -> Change:
    """Objects first, because a platform's own programs remove what they made; then programs, ports and files."""
    machine = seat.machine
    ledger = Ledger(check=machine.check)
    ledger.record(f"platform {seat.platform} in {seat.wec}", "installed", None)
    if stays and seat.server and seat.platform in known():
        asyncio.run(_remove(seat, ledger))
    programs = _programs(machine, seat)
    ended = machine.supervisor.drop(GROUP, programs, check=machine.check)
    if not machine.check:
        for program in programs:
            for log in machine.layout.log.glob(f"{program}.log*"):
                log.unlink(missing_ok=True)
        for block in machine.registry.blocks(machine.fleet):
            if block.owner.startswith(port_owner(seat.platform, seat.wec)):
                machine.registry.give_back(machine.fleet, block.owner)
        remove_tree(seat.folder)
    return Change.merge([ended, ledger.change])


async def _remove(seat: Seat, ledger: Ledger) -> None:
    async with dial.client(seat.layout, seat.wec) as client:
        if await dial.answers(client):
            await platform(seat.platform).remove(seat, client, ledger)


def _programs(machine: Machine, seat: Seat) -> list[str]:
    """Those of that platform in that WEC: their folder is the seat's."""
    file = machine.layout.supervisor / "conf.d" / f"{GROUP}.conf"
    if not file.exists():
        return []
    stored = sections(file.read_text(encoding="utf-8"))
    return [name for name, text in stored.items() if f"directory={seat.folder}" in text.splitlines()]
