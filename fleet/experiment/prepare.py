"""Before a run: is the fleet whole, is nothing left of another run; then the run's namespace in every cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

from fleet.errors import KubeError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import AlreadyExists
from fleet.kube.waiting import wait_for_accounts
from fleet.managers.manager import Manager, Spaces
from fleet.managers.named import named
from fleet.model.run_names import RunNames

READY_SECONDS = 10.0
NAMESPACE_SECONDS = 60.0
AT_ONCE = 32


async def check(spaces: Spaces, manager: Manager) -> None:
    """FleetError when a cluster does not answer, a WEC is no member, or something of another run is left.

    Only reads: whatever is refused here has changed nothing.
    """
    answers = await asyncio.gather(*(client.ready(READY_SECONDS) for client in spaces.all()))
    silent = [client.cluster for client, ready in zip(spaces.all(), answers, strict=True) if not ready]
    if silent:
        raise KubeError(
            f"not ready within {READY_SECONDS:g} s ({len(silent)} clusters: {named(silent)}). "
            "See `fleet status`; `fleet up` repairs",
            cluster=silent[0],
        )
    await manager.check(spaces)


async def make_namespaces(
    spaces: Spaces, manager: Manager, names: RunNames, wanted: Collection[str], *, pods: bool
) -> None:
    """Namespaces of the run in every source and WEC, made by the driver and ready for the workload.

    A manager that would bring the namespace with the objects would be measured with it; where it insists, the WECs are
    left out. A Pod also needs the `default` ServiceAccount, which a controller makes a moment after the namespace.
    """
    holding = {client.cluster for client in spaces.workload(wrapped=manager.wraps)}

    async def make(client: KubeClient) -> None:
        for name in sorted(wanted):
            metadata = {"name": name, "labels": names.labels()}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            with suppress(AlreadyExists):  # by an attempt of this call whose answer was lost
                await client.create(resources.NAMESPACES, body, retry=True)
        if pods and client.cluster in holding:
            what = "the ServiceAccount default of the run's namespaces"
            await wait_for_accounts(client, wanted, what, timeout=NAMESPACE_SECONDS)

    ends = {} if manager.brings_namespaces else spaces.wecs
    await each({**spaces.sources, **ends}.values(), make, at_once=AT_ONCE)
    await manager.prepare(spaces, wanted, names.labels())
