"""The programs of a machine as they were started, read back from its supervisor's files, for the fleet file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from fleet import __version__
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import sections
from fleet.inventory.endpoints import Doors
from fleet.managers.ocm import names
from fleet.model.fleet_file import Component

SOURCE: Mapping[str, str] = {
    "etcd": "etcd",
    "kube-apiserver": "kubernetes",
    "kube-controller-manager": "kubernetes",
    "kube-scheduler": "kubernetes",
    "dense": "kubernetes",
    "kwok": "kwok",
    "registration": "ocm",
    "ocm-agent": "ocm",
    "controller-manager": "kubestellar",
    "transport": "kubestellar",
    "link": "toxiproxy",
}
"""Which entry of the toolchain's versions a component's version is."""


def read_components(layout: Layout, machine: str, versions: Mapping[str, str]) -> list[Component]:
    """Every program that the machine's supervisor knows, by name; an empty list before anything was built."""
    servers = {plane.name: plane.server for plane in stored_planes(layout)}
    doors = Doors(layout, servers)
    found = []
    for file in sorted((layout.supervisor / "conf.d").glob("*.conf")):
        for program, text in sections(file.read_text(encoding="utf-8")).items():
            argv = command_of(text)
            cluster = program.partition(".")[2]
            component, seat = names.seat_of(program)
            found.append(
                Component(
                    program=program,
                    component=component,
                    machine=machine,
                    cluster=next((name for name in (cluster, seat) if name in servers), ""),
                    version=__version__
                    if component == names.STATUS_PROGRAM
                    else versions.get(SOURCE.get(component, ""), ""),
                    argv=argv,
                    **doors.of(component, cluster or seat, argv).fields(),
                )
            )
    return sorted(found, key=lambda c: c.program)


def command_of(section: str) -> list[str]:
    """The argument list of a program's section, as the program gets it."""
    for line in section.splitlines():
        if line.startswith("command="):
            return [part.replace("%%", "%") for part in shlex.split(line.removeprefix("command="))]
    return []
