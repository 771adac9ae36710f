"""Which metrics pages of WECs are read in a run about what is in them: API servers, and programs alongside them."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.kube.client import KubeClient
from fleet.model.fleet_file import FleetFile
from fleet.observe.metrics import Names, Target


def wec_pages(
    fleet: FleetFile, clients: Mapping[str, KubeClient], api_server: Names, programs: Mapping[str, Names]
) -> list[Target]:
    """The API server of each client, and of its WEC the programs that are named; those of another machine than the
    driver's cannot be read, since they listen on loopback.

    `api_server` and the values of `programs` (by component) say which metrics are kept, each with its labels.
    """
    local = {machine.name for machine in fleet.machines if machine.connection == "local"}
    pages = [Target("kube-apiserver", name, client=client, kept=api_server) for name, client in clients.items()]
    pages += [
        Target(
            program.component, program.cluster, url=program.metrics, tls=program.tls, kept=programs[program.component]
        )
        for program in fleet.components
        if program.metrics and program.machine in local and program.component in programs and program.cluster in clients
    ]
    return pages
