"""The programs of a machine as they were started, read back from its supervisor's files, for the fleet file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from fleet import __version__
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import sections
from fleet.hub import names, status_config
from fleet.spec.fleet_file import Component

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
}
"""Which entry of the toolchain's versions a component's version is."""


def read_components(layout: Layout, machine: str, versions: Mapping[str, str]) -> list[Component]:
    """Every program that the machine's supervisor knows, by name; an empty list before anything was built."""
    servers = {plane.name: plane.server for plane in stored_planes(layout)}
    found = []
    for file in sorted((layout.supervisor / "conf.d").glob("*.conf")):
        for program, text in sections(file.read_text(encoding="utf-8")).items():
            argv = command_of(text)
            component, _, cluster = program.partition(".")
            found.append(
                Component(
                    program=program,
                    component=component,
                    machine=machine,
                    cluster=cluster if cluster in servers else "",
                    version=__version__
                    if program == names.STATUS_PROGRAM
                    else versions.get(SOURCE.get(component, ""), ""),
                    argv=argv,
                    metrics=_metrics(component, argv, servers.get(cluster, ""), layout),
                )
            )
    return sorted(found, key=lambda c: c.program)


def command_of(section: str) -> list[str]:
    """The argument list of a program's section, as the program gets it."""
    for line in section.splitlines():
        if line.startswith("command="):
            return [part.replace("%%", "%") for part in shlex.split(line.removeprefix("command="))]
    return []


def _metrics(component: str, argv: list[str], server: str, layout: Layout) -> str:
    """URL of the metrics that can be read without a credential of the program's own, or with the cluster's admin's."""
    if component == "kube-apiserver":
        return f"{server}/metrics" if server else ""
    if component == names.STATUS_PROGRAM:
        return _status_metrics(status_config.config_file(layout))
    for argument in reversed(argv):  # the last one wins: the user's come last
        if argument.startswith("--metrics-bind-address="):
            address = argument.partition("=")[2]
            return f"http://{address}/metrics" if address not in ("", "0") else ""
    return ""


def _status_metrics(config: Path) -> str:
    try:
        address = json.loads(config.read_text(encoding="utf-8")).get("metrics_address")
    except (FileNotFoundError, ValueError):
        return ""
    return f"http://{address}/metrics" if address else ""
