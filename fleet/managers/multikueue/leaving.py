"""WECs leave a MultiKueue hub, and its objects and definitions are taken off them."""

from __future__ import annotations

from collections.abc import Collection

from fleet.install.objects import Ledger, drop_finalizers, remove
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CRDS, JOBS, NAMESPACES
from fleet.managers.multikueue import names
from fleet.platforms.kueue import names as kueue

ORIGIN_LABEL = "kueue.x-k8s.io/multikueue-origin"
"""On what the hub has dispatched."""
HELD = (kueue.WORKLOADS, kueue.LOCAL_QUEUES, kueue.CLUSTER_QUEUES, kueue.FLAVORS)
"""What its programs hold by a finalizer, in the order in which it goes."""


async def let_go(hub: KubeClient, wecs: Collection[str]) -> None:
    """Delete their MultiKueueClusters: from then on nothing is dispatched to them."""
    for wec in wecs:
        await remove(hub, names.CLUSTERS, wec)


async def clear(wec: KubeClient, ledger: Ledger) -> None:
    """Dispatched Jobs, Kueue's objects, its definitions and its namespace; no program of it runs any more, so its
    finalizers are taken off."""
    first = f"{kueue.DEFINITIONS[0]}.{kueue.GROUP}"
    try:
        await wec.get(CRDS, first)
    except NotFound:
        return
    ledger.record(f"{wec.cluster} {kueue.GROUP}", "present", None)
    if ledger.check:
        return
    for item in await wec.list_all(JOBS, label_selector=ORIGIN_LABEL):
        meta = item["metadata"]
        await wec.delete(JOBS, meta["name"], meta["namespace"], propagation="Background")
    for resource in HELD:
        for item in await wec.list_all(resource):
            name, space = item["metadata"]["name"], item["metadata"].get("namespace")
            await remove(wec, resource, name, space)
            await drop_finalizers(wec, resource, name, space, frozenset({names.FINALIZER}))
    for plural in kueue.DEFINITIONS:
        await remove(wec, CRDS, f"{plural}.{kueue.GROUP}")
    await remove(wec, NAMESPACES, kueue.NAMESPACE)
