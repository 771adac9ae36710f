"""WECs leave a Karmada hub: Karmada takes back what it delivered, and what holds it up is forced, with a note."""

from __future__ import annotations

from collections.abc import Collection

from fleet.errors import KubeError
from fleet.install.objects import Ledger, drop_finalizers, remove
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.resources import KARMADA_CLUSTERS, KARMADA_WORKS, NAMESPACES, SECRETS
from fleet.managers.karmada import names

POLL_SECONDS = 1.0


async def let_go(hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:
    """Delete their Clusters and wait until they, and the namespaces of their Works, are gone.

    Karmada deletes the Works first, and agents (or, in push mode, its controller-manager) what these delivered. What
    has made no progress for `seconds` loses Karmada's finalizers.
    """
    for wec in wecs:
        await remove(hub, KARMADA_CLUSTERS, wec)

    async def count() -> int:
        clusters = {item["metadata"]["name"] for item in await hub.list_all(KARMADA_CLUSTERS)}
        spaces = {item["metadata"]["name"] for item in await hub.list_all(NAMESPACES)}
        works = 0
        for wec in wecs:
            if names.space(wec) in spaces:
                works += 1 + len(await hub.list_all(KARMADA_WORKS, names.space(wec)))
        return works + len(clusters & set(wecs))

    if await drained(count, seconds, POLL_SECONDS):
        for wec in wecs:
            await _force(hub, wec, ledger)
        if left := await drained(count, seconds, POLL_SECONDS):
            raise KubeError(
                f"{left} Clusters and Works of WECs that leave are still there: do Karmada's programs and the hub's"
                " controller manager run?",
                cluster=hub.cluster,
            )
    for wec in wecs:
        await remove(hub, SECRETS, wec, names.CLUSTER_NAMESPACE)


async def _force(hub: KubeClient, wec: str, ledger: Ledger) -> None:
    works = await hub.list_all(KARMADA_WORKS, names.space(wec))
    for work in works:
        name = work["metadata"]["name"]
        await remove(hub, KARMADA_WORKS, name, names.space(wec))
        await drop_finalizers(hub, KARMADA_WORKS, name, names.space(wec), frozenset({names.WORK_FINALIZER}))
    dropped = await drop_finalizers(hub, KARMADA_CLUSTERS, wec, None, frozenset({names.CLUSTER_FINALIZER}))
    await remove(hub, NAMESPACES, names.space(wec))
    if works or dropped:
        ledger.notes.append(
            f"{wec}: Karmada did not finish in time: its finalizers were taken off ({len(works)} Works); what they had"
            " delivered stays in the WEC"
        )
