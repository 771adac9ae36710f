"""The objects of a manager's hub: made, or in check mode only counted, where the control plane may not be there yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fleet.errors import UsageError
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.managers.installer import Site


def demand(site: Site, hub: str) -> None:
    """UsageError unless the control plane is on this machine; in check mode it may still be to come."""
    if not site.machine.check and not site.layout.kubeconfig(hub).exists():
        raise UsageError(f"control plane {hub} is not on this machine: build the control planes first")


def bring(site: Site, hub: str, objects: Callable[[KubeClient, Ledger], Awaitable[object]]) -> Ledger:
    """What changed; of a control plane that is not there, or does not answer in check mode: that all of it would."""
    ledger = Ledger(check=site.machine.check)
    if site.layout.kubeconfig(hub).exists():
        asyncio.run(_bring(site, hub, objects, ledger))
    else:
        _all(hub, ledger)
    return ledger


async def _bring(
    site: Site, hub: str, objects: Callable[[KubeClient, Ledger], Awaitable[object]], ledger: Ledger
) -> None:
    async with dial.client(site.layout, hub) as client:
        if ledger.check and not await dial.answers(client):
            _all(hub, ledger)
        else:
            await objects(client, ledger)


def _all(hub: str, ledger: Ledger) -> None:
    ledger.record(f"{hub} objects of the hub", None, "present")
