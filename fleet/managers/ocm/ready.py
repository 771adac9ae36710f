"""When OCM's programs of the hub do their work: by what they made, never by time."""

from __future__ import annotations

from fleet.host.supervise import Supervisor
from fleet.install.readiness import READY_SECONDS, check_alive, late
from fleet.install.waiting import until
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
        check_alive(supervisor, program)
        try:
            await hub.get(CLUSTER_SETS, GLOBAL_SET)
        except NotFound:
            return False
        return True

    return await until(look, READY_SECONDS, late(supervisor, program, f"cluster set {GLOBAL_SET} was not made"))
