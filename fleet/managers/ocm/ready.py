"""When OCM's programs of the hub do their work: by what they made or say, never by time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fleet.host.machine import Machine
from fleet.host.supervise import Supervisor
from fleet.install.program_parts import loopback
from fleet.install.readiness import until_it_works
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource

CLUSTER_SETS = Resource(
    "cluster.open-cluster-management.io", "v1beta2", "managedclustersets", "ManagedClusterSet", False
)
GLOBAL_SET = "global"
"""The cluster set that OCM's registration controller makes once its informers are filled."""


async def registration(hub: KubeClient, supervisor: Supervisor, program: str) -> float:
    """Wait for the cluster set that the registration controller makes; seconds."""

    async def look() -> bool:
        try:
            await hub.get(CLUSTER_SETS, GLOBAL_SET)
        except NotFound:
            return False
        return True

    return await until_it_works(supervisor, program, look, f"cluster set {GLOBAL_SET} was not made")


async def healthy(machine: Machine, hub: str, program: str, port: int) -> float:
    """Wait until a program answers on its port that it is healthy, asked as the hub's admin; seconds."""
    endpoint = machine.endpoint(hub, f"https://{loopback(port)}")

    def ask() -> bool:
        try:
            return endpoint.request("GET", "/healthz").status == HTTPStatus.OK
        except OSError:
            return False

    async def look() -> bool:
        return await asyncio.to_thread(ask)

    return await until_it_works(machine.supervisor, program, look, "it was not healthy")
