"""The programs of a machine as they were started, read back from its supervisor's files, for the fleet file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleet import __version__
from fleet.host.drivers.driver import own_components
from fleet.host.hosted import carrier
from fleet.host.layout import Layout
from fleet.host.pages import CONTROL_PLANES, Reader, Started, by_flags
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import sections
from fleet.managers import installer as managers
from fleet.model.fleet_file import Component
from fleet.platforms import platform as platforms
from fleet.simulators import simulator as simulators

OURS = "fleet."
"""How the modules begin that are programs of our own."""


def read_components(layout: Layout, machine: str, versions: Mapping[str, str]) -> list[Component]:
    """Every program that the machine's supervisor knows, by name; an empty list before anything was built.

    `versions`: by the name of the program's file.
    """
    servers = {plane.name: plane.server for plane in stored_planes(layout)}
    known, emulation = readers(), {*own_components(), *_simulators()}
    found = []
    for file in sorted((layout.supervisor / "conf.d").glob("*.conf")):
        started = {name: command_of(text) for name, text in sections(file.read_text(encoding="utf-8")).items()}
        for program, argv in started.items():
            cluster = program.partition(".")[2]
            component, seat = component_of(program, known)
            place = Started(layout, servers, cluster or seat, argv)
            found.append(
                Component(
                    program=program,
                    component=component,
                    machine=machine,
                    cluster=next((name for name in (cluster, seat) if name in servers), ""),
                    version=version_of(carrier(argv, started.values()), versions),
                    argv=argv,
                    emulates=component in emulation,
                    **known.get(component, by_flags)(place).fields(),
                )
            )
    return sorted(found, key=lambda c: c.program)


def readers() -> dict[str, Reader]:
    """Where each component serves metrics and profiles, as its driver, simulator, manager or platform says; else its
    flags say it."""
    found = {**CONTROL_PLANES, **own_components(), **_simulators()}
    for name in managers.known():
        found |= managers.installer(name).pages
    for name in platforms.known():
        found |= platforms.platform(name).pages
    return found


def _simulators() -> dict[str, Reader]:
    """Of all simulators."""
    return {c: page for name in simulators.known() for c, page in simulators.simulator(name).pages.items()}


def component_of(program: str, known: Mapping[str, Reader]) -> tuple[str, str]:
    """The component of a program and the further hub that it belongs to: of `<component>-<hub>.wec001`, an agent of a
    WEC at its second hub, both; of most programs the latter is empty."""
    component = program.partition(".")[0]
    if component in known:
        return component, ""
    for name in known:
        if component.startswith(f"{name}-"):
            return name, component.removeprefix(f"{name}-")
    return component, ""


def version_of(argv: Sequence[str], versions: Mapping[str, str]) -> str:
    """Of the file that it runs; ours, of a module of ours that Python runs; empty where nobody knows."""
    module = argv[argv.index("-m") + 1 :][:1] if "-m" in argv else []
    if module and module[0].startswith(OURS):
        return __version__
    return versions.get(Path(argv[0]).name, "") if argv else ""


def command_of(section: str) -> list[str]:
    """The argument list of a program's section, as the program gets it."""
    for line in section.splitlines():
        if line.startswith("command="):
            return [part.replace("%%", "%") for part in shlex.split(line.removeprefix("command="))]
    return []
