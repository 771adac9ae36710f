"""WECs leave a KubeFleet hub, and what was delivered is taken off them: KubeFleet itself leaves it there."""

from __future__ import annotations

from collections.abc import Collection

from fleet.errors import KubeError
from fleet.install.objects import Ledger, drop_finalizers, remove
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import APPLIED_WORKS, CRDS, FLEET_WORKS, MEMBER_CLUSTERS, NAMESPACES
from fleet.managers.kubefleet import names

APPLIED_CRD = f"{APPLIED_WORKS.plural}.{APPLIED_WORKS.group}"
CLEAR_SECONDS, POLL_SECONDS = 60.0, 0.5


async def let_go(hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:
    """Delete their MemberClusters and wait until they, and the namespaces of their Works, are gone.

    The agent is asked to stop applying; then the hub agent deletes the namespace. What has made no progress for
    `seconds` loses KubeFleet's finalizers.
    """
    for wec in wecs:
        await remove(hub, MEMBER_CLUSTERS, wec)

    async def count() -> int:
        members = {item["metadata"]["name"] for item in await hub.list_all(MEMBER_CLUSTERS)}
        spaces = {item["metadata"]["name"] for item in await hub.list_all(NAMESPACES)}
        return sum((wec in members) + (names.space(wec) in spaces) for wec in wecs)

    if await drained(count, seconds, POLL_SECONDS):
        for wec in wecs:
            await _force(hub, wec, ledger)
        if left := await drained(count, seconds, POLL_SECONDS):
            raise KubeError(
                f"{left} MemberClusters and namespaces of WECs that leave are still there: does the hub's controller"
                " manager run?",
                cluster=hub.cluster,
            )


async def _force(hub: KubeClient, wec: str, ledger: Ledger) -> None:
    space = names.space(wec)
    works = await hub.list_all(FLEET_WORKS, space)
    for work in works:
        name = work["metadata"]["name"]
        await remove(hub, FLEET_WORKS, name, space)
        await drop_finalizers(hub, FLEET_WORKS, name, space, frozenset({names.WORK_FINALIZER}))
    await remove(hub, NAMESPACES, space)
    dropped = await drop_finalizers(hub, MEMBER_CLUSTERS, wec, None, frozenset({names.MEMBER_FINALIZER}))
    if works or dropped:
        ledger.notes.append(f"{wec}: KubeFleet did not finish in time: its finalizers were taken off")


async def clear(wec: KubeClient, ledger: Ledger) -> None:
    """Delete AppliedWorks, with which goes all that they own, then their CRD; no agent runs for the WEC any more."""
    try:
        await wec.get(CRDS, APPLIED_CRD)
    except NotFound:
        return
    ledger.record(f"{wec.cluster} {APPLIED_CRD}", "present", None)
    if ledger.check:
        return
    for work in await wec.list_all(APPLIED_WORKS):
        # In the foreground: it stays until everything that it owns is gone.
        await wec.delete(APPLIED_WORKS, work["metadata"]["name"], propagation="Foreground")

    async def count() -> int:
        return len(await wec.list_all(APPLIED_WORKS))

    if left := await drained(count, CLEAR_SECONDS, POLL_SECONDS):
        ledger.notes.append(f"{wec.cluster}: what {left} Works had delivered is still being deleted")
    await remove(wec, CRDS, APPLIED_CRD)
