"""Before a run: is the fleet whole, is nothing left of another run; then the run's namespace in every cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from fleet.errors import FleetError, KubeError
from fleet.experiment.sender import each
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.errors import AlreadyExists
from fleet.kube.waiting import Objects, wait_for_objects
from fleet.managers.manager import Spaces
from fleet.model.run_names import RUN_LABEL, RunNames
from fleet.workload.layouts import CLUSTER_LABEL

READY_SECONDS = 10.0
NAMESPACE_SECONDS = 60.0
NAMED = 5
"""So many names in a message; the rest is counted."""


async def check(spaces: Spaces) -> None:
    """FleetError when a cluster does not answer, a WEC is not Available, or something of another run is left.

    Only reads: whatever is refused here has changed nothing.
    """
    answers = await asyncio.gather(*(client.ready(READY_SECONDS) for client in spaces.all()))
    silent = [client.cluster for client, ready in zip(spaces.all(), answers, strict=True) if not ready]
    if silent:
        raise KubeError(
            f"not ready within {READY_SECONDS:g} s ({len(silent)} clusters: {shown(silent)}). "
            "See `fleet status`; `fleet up` repairs",
            cluster=silent[0],
        )
    for its in spaces.transports.values():
        await _check_members(its, tuple(spaces.wecs))
    for wds in spaces.sources.values():
        await _check_leftovers(wds)


async def _check_members(its: KubeClient, wecs: Collection[str]) -> None:
    found = {item["metadata"]["name"]: item for item in await its.list_all(resources.MANAGED_CLUSTERS)}
    wrong = [name for name in wecs if not _available(found.get(name))]
    if wrong:
        raise FleetError(
            f"{its.cluster}: {len(wrong)} of {len(wecs)} WECs are not registered and Available: "
            f"{shown(wrong)}. See `fleet status`; `fleet up` repairs"
        )
    unlabelled = [name for name in wecs if found[name]["metadata"].get("labels", {}).get(CLUSTER_LABEL) != name]
    if unlabelled:
        raise FleetError(
            f"{its.cluster}: the ManagedCluster of {shown(unlabelled)} lacks the label {CLUSTER_LABEL}=<name>, "
            "by which policies select it. `fleet up` sets it"
        )


def _available(item: Mapping[str, Any] | None) -> bool:
    conditions = (item or {}).get("status", {}).get("conditions", [])
    return any(
        entry.get("type") == "ManagedClusterConditionAvailable" and entry.get("status") == "True"
        for entry in conditions
    )


async def _check_leftovers(wds: KubeClient) -> None:
    left = await wds.list_all(resources.BINDING_POLICIES, label_selector=RUN_LABEL)
    runs = sorted({str(item["metadata"]["labels"][RUN_LABEL]) for item in left})
    if runs:
        raise FleetError(
            f"{wds.cluster}: {len(left)} policies of an earlier run are still there ({shown(runs)}) and would add "
            "their work to this one. Remove them with `fleet experiment clean`"
        )


async def make_namespaces(spaces: Spaces, names: RunNames, wanted: Collection[str], *, pods: bool) -> None:
    """Namespaces of the run in every WDS and WEC, made by the driver and ready for the workload.

    KubeStellar does not bring a Namespace by itself, and one that travelled with the objects would be measured with
    them. A Pod also needs the `default` ServiceAccount, which a controller makes a moment after the namespace.
    """

    async def make(client: KubeClient) -> None:
        for name in sorted(wanted):
            metadata = {"name": name, "labels": names.labels()}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            with suppress(AlreadyExists):  # by an attempt of this call whose answer was lost
                await client.create(resources.NAMESPACES, body, retry=True)
        if pods:
            await _wait_accounts(client, wanted)

    await each(spaces.workload(wrapped=False), make)


async def _wait_accounts(client: KubeClient, namespaces: Collection[str]) -> None:
    def missing(found: Objects) -> list[str]:
        return sorted(set(namespaces) - {namespace for namespace, _ in found})

    await wait_for_objects(
        client,
        resources.SERVICE_ACCOUNTS,
        lambda found: not missing(found),
        field_selector="metadata.name=default",
        timeout=NAMESPACE_SECONDS,
        what="the ServiceAccount default of the run's namespaces",
        missing=missing,
    )


def shown(names: list[str]) -> str:
    """The first few names, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
