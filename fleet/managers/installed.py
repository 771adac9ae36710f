"""Which manager a machine has, and what every manager alike leaves there: programs, files and ports."""

from __future__ import annotations

from dataclasses import replace

from fleet.host.change import Change
from fleet.host.files import private_directory, remove_tree, write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.supervisor_config import sections
from fleet.managers.installer import Installer, Site, Way
from fleet.model.variables import Variables

HUB, AGENTS = "hub", "agents"
"""The supervisor's group of the programs of the hub, and how the names of those of agents begin. Folders of the same
names hold their files."""
FILE = "manager"
"""In the machine's folder: the name of the manager, written before anything of it is there and removed last."""


def installed(layout: Layout) -> str:
    """The name of the manager that the machine has, whole or half-made; empty when it has none."""
    try:
        return (layout.root / FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        # Before this file there was one manager, which is still the default.
        return Variables().manager if (layout.root / HUB).is_dir() else ""


def begin(machine: Machine, name: str) -> None:
    """Write down that the machine has the manager `name`; not in check mode."""
    if not machine.check:
        private_directory(machine.root)
        write_private(machine.root / FILE, f"{name}\n".encode())


def stop(machine: Machine) -> Change:
    """End the agents, then the hub's programs; what they made and wrote stays. Absent is fine."""
    if not machine.supervisor.running():
        return Change.none()
    return Change.merge([machine.supervisor.converge(group, [], check=machine.check) for group in _groups(machine)])


def clear(manager: Installer, site: Site, way: Way) -> Change:
    """Let all WECs of this machine leave, end their agents, and remove from the WECs what joining had put there."""
    alone = replace(site, wecs=())
    left = manager.leave(alone, way)
    ended = [_end(site.machine, group) for group in _groups(site.machine) if group != HUB]
    return Change.merge([left, *ended, manager.clear(alone)])


def drop(machine: Machine, installer: Installer) -> Change:
    """End all programs of the manager on this machine, remove their files and logs, and give their ports back. Its WECs
    have left. Control planes are somebody else's."""
    name = installed(machine.layout)
    if not name:
        return Change.none()
    ended, registry = [_end(machine, group) for group in _groups(machine)], machine.registry
    if not machine.check:
        for folder in (machine.root / HUB, *machine.root.glob(f"{AGENTS}*")):
            remove_tree(folder)
        for block in registry.blocks(machine.fleet):
            if block.owner.startswith(tuple(installer.port_owners)):
                registry.give_back(machine.fleet, block.owner)
        (machine.root / FILE).unlink(missing_ok=True)
    return Change.merge([*ended, Change({"manager": name}, {})])


def _end(machine: Machine, group: str) -> Change:
    """End the programs of one group, and remove their logs."""
    file = machine.layout.supervisor / "conf.d" / f"{group}.conf"
    programs = sections(file.read_text(encoding="utf-8"))
    if not programs:
        return Change.none()
    change = machine.supervisor.converge(group, [], check=machine.check)
    if not machine.check:
        for program in programs:
            for log in machine.layout.log.glob(f"{program}.*"):
                log.unlink(missing_ok=True)
    return change


def _groups(machine: Machine) -> list[str]:
    folder = machine.layout.supervisor / "conf.d"
    agents = sorted(file.stem for file in folder.glob(f"{AGENTS}*.conf"))
    return [*agents, *([HUB] if (folder / f"{HUB}.conf").exists() else [])]
