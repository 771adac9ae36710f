"""WECs at a Karmada hub: how each is registered, and whether all those of a run are Ready."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.resources import KARMADA_CLUSTERS
from fleet.managers.manager import ABSENT, Registration
from fleet.managers.named import named

READY = "Ready"
PROBLEMS = {
    "Leaving": "its Cluster is being deleted",
    "NotReady": "its Cluster is not Ready",
    "Unknown": "its Cluster is unknown: nobody reports on it",
    "Joined": "its Cluster has no condition Ready yet",
}


async def registrations(hub: KubeClient, wecs: Collection[str]) -> dict[str, Registration]:
    """Each of those WECs with the word of its Cluster, or `Absent`; KubeError when the hub does not answer."""
    found = {item["metadata"]["name"]: word(item) for item in await hub.list_all(KARMADA_CLUSTERS)}
    absent = Registration(ABSENT, f"has no Cluster in {hub.cluster}")
    return {wec: Registration(found[wec], PROBLEMS.get(found[wec], "")) if wec in found else absent for wec in wecs}


async def check_members(hub: KubeClient, wecs: Collection[str]) -> None:
    """FleetError that names those that are not Ready."""
    wrong = [wec for wec, found in (await registrations(hub, wecs)).items() if found.problem]
    if wrong:
        raise FleetError(
            f"{hub.cluster}: {len(wrong)} of {len(wecs)} WECs are not registered and Ready: {named(wrong)}. See"
            " `fleet status`; `fleet up` repairs what it built"
        )


def word(cluster: Mapping[str, Any]) -> str:
    """One word for a Cluster."""
    if cluster["metadata"].get("deletionTimestamp"):
        return "Leaving"
    conditions = (cluster.get("status") or {}).get("conditions") or []
    found = next((str(one.get("status", "")) for one in conditions if one.get("type") == READY), "")
    return {"True": READY, "False": "NotReady", "Unknown": "Unknown"}.get(found, "Joined")
