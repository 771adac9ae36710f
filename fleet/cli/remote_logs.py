"""Logs of programs on other machines of the fleet: the same lines, read there with `tail`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.model.fleet_file import FleetFile, Machine


def remote_programs(fleet: FleetFile, name: str) -> tuple[Machine, list[str]] | None:
    """The machine and its programs when `name` is a program or cluster of a machine that is reached over SSH.

    A cluster of the dense driver has its own programs only (agent, node simulator); what carries it has a name of its
    own, which several machines may have: UsageError then, `MACHINE/PROGRAM` says which.
    """
    only, slash, rest = name.partition("/")
    away = {
        machine.name: machine
        for machine in fleet.machines
        if machine.connection == "ssh" and (not slash or machine.name == only)
    }
    name = rest if slash else name
    found = [
        c
        for c in fleet.components
        if c.machine in away and (c.program == name or name in (c.cluster, _suffix(c.program)))
    ]
    if not found:
        return None
    places = list(dict.fromkeys(component.machine for component in found))
    if len(places) > 1:
        asked = " or ".join(f"{place}/{name}" for place in places)
        raise UsageError(f"{name} runs on {', '.join(places)}: write {asked}")
    machine = away[places[0]]
    return machine, sorted(c.program for c in found if c.machine == machine.name)


def tail_command(machine: Machine, programs: list[str], lines: int, *, follow: bool) -> list[str]:
    """The command that prints them."""
    files = [f"{machine.state_dir}/log/{program}.log" for program in programs]
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), *(["-v"] if len(files) > 1 else []), "--", *files]


def _suffix(program: str) -> str:
    return program.partition(".")[2]
