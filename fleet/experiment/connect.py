"""Opens the clients of a run: sources, their transports and the WECs it uses, each only where the fleet file says."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence

from fleet.errors import UsageError
from fleet.kube import cluster_client
from fleet.kube.client import KubeClient
from fleet.managers.manager import Spaces
from fleet.model.fleet_file import Cluster, FleetFile


@contextlib.asynccontextmanager
async def opened(
    fleet: FleetFile, wecs: Collection[str] | None = None, sources: Collection[str] | None = None
) -> AsyncIterator[Spaces]:
    """Clients of that fleet; `wecs` and `sources` name those that are wanted, None wants all.

    Where a fleet has no sources, each WEC is its own; where one cluster is source and transport, it has one client.
    SpecError for a kubeconfig that is missing, readable by others, or that points at an address that is neither
    loopback nor a machine of the fleet file. No client-side limit: the driver must never be what is measured.
    """
    check_whole(fleet)
    allowed = [machine.address for machine in fleet.machines]
    made: dict[str, KubeClient] = {}
    async with contextlib.AsyncExitStack() as stack:

        async def those(entries: Sequence[Cluster], wanted: Collection[str] | None) -> dict[str, KubeClient]:
            chosen = [entry for entry in entries if wanted is None or entry.name in wanted]
            for entry in chosen:
                if entry.name not in made:
                    made[entry.name] = await stack.enter_async_context(cluster_client.opened(entry, allowed))
            return {entry.name: made[entry.name] for entry in chosen}

        used = await those(fleet.sources(), sources)
        through = None if sources is None else {fleet.transport_of(source) for source in used}
        transports = await those(fleet.transports(), through)
        ends = await those(fleet.wecs(), wecs)
        yield Spaces(sources=used if fleet.manager.source else ends, transports=transports, wecs=ends)


def check_whole(fleet: FleetFile) -> None:
    """UsageError when the fleet lacks a cluster of a role that its manager needs."""
    roles = {fleet.manager.source: fleet.sources(), fleet.manager.transport: fleet.transports()}
    for role, found in roles.items():
        if role and not found:
            raise UsageError(f"the fleet {fleet.name} has no {role.upper()}: finish it with `fleet up`")
