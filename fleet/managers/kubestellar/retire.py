"""Takes WDSes off the ITS that the fleet no longer has: what they had delivered, then all that names them."""

from __future__ import annotations

from collections.abc import Collection

from fleet.install.objects import Ledger, remove
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONTROL_PLANES, MANIFEST_WORKS, NAMESPACES
from fleet.managers.kubestellar import names
from fleet.managers.kubestellar.spaces import system_namespace

WORKS_SECONDS = 60.0
"""For the agents to take down what a WDS had delivered; counted from the last that went."""
NAMESPACE_SECONDS = 60.0
POLL_SECONDS = 0.5


async def retire(its: KubeClient, kept: Collection[str], ledger: Ledger) -> None:
    """Remove every WDS that is not in `kept`; with `ledger.check` only say so. KubeStellar must not run for them.

    A WDS that is gone cannot delete its ManifestWorks, and whatever they brought would stay in the WECs forever.
    """
    for plane in await its.list_all(CONTROL_PLANES, label_selector=f"{names.CP_TYPE_LABEL}=wds"):
        wds = plane["metadata"]["name"]
        if wds in kept:
            continue
        ledger.record(f"{its.cluster} space {wds}", "present", None)
        if not ledger.check:
            await _works(its, wds, ledger)
            await remove(its, CONTROL_PLANES, wds)
            await _namespace(its, system_namespace(wds))


async def _works(its: KubeClient, wds: str, ledger: Ledger) -> None:
    selector = f"{names.WDS_LABEL}={wds}"

    async def count() -> int:
        return len(await its.list_all(MANIFEST_WORKS, label_selector=selector))

    for work in await its.list_all(MANIFEST_WORKS, label_selector=selector):
        await remove(its, MANIFEST_WORKS, work["metadata"]["name"], work["metadata"]["namespace"])
    if left := await drained(count, WORKS_SECONDS, POLL_SECONDS):
        ledger.notes.append(f"{left} ManifestWorks of {wds} are still there: the agents of their WECs take them down")


async def _namespace(its: KubeClient, name: str) -> None:
    """With the Secret in it; waited for, because a WDS of that name may come again at once."""

    async def count() -> int:
        return len(await its.list_all(NAMESPACES, field_selector=f"metadata.name={name}"))

    if await remove(its, NAMESPACES, name):
        await drained(count, NAMESPACE_SECONDS, POLL_SECONDS)
