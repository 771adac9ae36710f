"""Opens the clients of a run: WDSes, their ITSes and the WECs it uses, each only where the fleet file says it is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection

from fleet.errors import UsageError
from fleet.kube.client import KubeClient
from fleet.model.fleet_file import Cluster, FleetFile, Role
from fleet.observe.watcher import Spaces


@contextlib.asynccontextmanager
async def opened(
    fleet: FleetFile, wecs: Collection[str] | None = None, wdses: Collection[str] | None = None
) -> AsyncIterator[Spaces]:
    """Clients of that fleet; `wecs` and `wdses` name those that are wanted, None wants all.

    SpecError for a kubeconfig that is missing, readable by others, or that points at an address that is neither
    loopback nor a machine of the fleet file. No client-side limit: the driver must never be what is measured.
    """
    allowed = [machine.address for machine in fleet.machines]
    async with contextlib.AsyncExitStack() as stack:

        async def client(cluster: Cluster) -> KubeClient:
            made = KubeClient.from_kubeconfig(cluster.kubeconfig, cluster=cluster.name, allowed=allowed)
            return await stack.enter_async_context(made)

        async def those(role: Role, wanted: Collection[str] | None) -> dict[str, KubeClient]:
            entries = [entry for entry in fleet.of_role(role) if wanted is None or entry.name in wanted]
            return {entry.name: await client(entry) for entry in entries}

        the_one(fleet, "wds")
        the_one(fleet, "its")
        used = await those("wds", wdses)
        itses = await those("its", {fleet.transport_of(wds) for wds in used} if wdses is not None else None)
        yield Spaces(wdses=used, itses=itses, wecs=await those("wec", wecs))


def the_one(fleet: FleetFile, role: Role) -> Cluster:
    """The first cluster of that role; UsageError when the fleet has none."""
    found = fleet.of_role(role)
    if not found:
        raise UsageError(f"the fleet {fleet.name} has no {role.upper()}: finish it with `fleet up`")
    return found[0]
