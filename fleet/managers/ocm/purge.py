"""Takes WECs off the hub that nobody will let go: their machine left the fleet, or they moved to another one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fleet.host.change import Change
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.kube.resources import MANAGED_CLUSTERS
from fleet.managers.ocm.admission import registered_from
from fleet.managers.ocm.leave import Leave, LeaveOptions


def strangers(clusters: list[dict[str, Any]], wanted: Mapping[str, str]) -> dict[str, str]:
    """ManagedClusters of ours that the fleet no longer has, or has on another machine: name to the reason.

    `wanted` is WEC to machine. One that does not name its machine was registered by somebody else, or by a release from
    before there were several machines: it is not ours to take off.
    """
    found = {}
    for cluster in clusters:
        name, machine = cluster["metadata"]["name"], registered_from(cluster)
        if machine and name not in wanted:
            found[name] = f"no longer in the fleet (was on {machine})"
        elif machine and machine != wanted[name]:
            found[name] = f"moved from {machine} to {wanted[name]}"
    return found


def purge(
    layout: Layout, its: str, wanted: Mapping[str, str], *, check: bool = False, options: LeaveOptions | None = None
) -> Change:
    """Take all strangers off the hub, without their agents' help; they had their turn where their machine answers."""
    if not layout.kubeconfig(its).exists():
        return Change.none()
    return asyncio.run(_purge(layout, its, wanted, check=check, options=options))


async def _purge(
    layout: Layout, its: str, wanted: Mapping[str, str], *, check: bool, options: LeaveOptions | None
) -> Change:
    async with dial.client(layout, its) as hub:
        if check and not await dial.answers(hub):
            return Change.none()
        found = strangers(await hub.list_all(MANAGED_CLUSTERS), wanted)
        if check or not found:
            return Change({f"managedcluster {wec}": why for wec, why in found.items()}, {})
        ledger = Ledger(notes=[f"{wec}: {why}" for wec, why in sorted(found.items())])

        async def gone(_: str) -> bool:
            return False

        await Leave(hub, reachable=gone, ledger=ledger, options=options).run(sorted(found))
    return ledger.change
