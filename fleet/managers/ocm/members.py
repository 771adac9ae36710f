"""Which WECs are members of an OCM hub: how each is registered, and whether all those of a run are Available."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.managers.manager import Registration
from fleet.managers.named import named

NAME_LABEL = "name"
"""Label of a ManagedCluster that holds the WEC's name, by which policies select it; the `register` role sets it."""

AVAILABLE = "Available"
PROBLEMS = {
    "Pending": "its ManagedCluster is not accepted",
    "Accepted": "its agent has not joined",
    "Joined": "its ManagedCluster is joined, not yet available",
    "Unavailable": "its ManagedCluster is not available",
    "Unknown": "its ManagedCluster is unknown: the agent's lease has run out",
}


async def registrations(hub: KubeClient, wecs: Collection[str]) -> dict[str, Registration]:
    """Each of those WECs with the word of its ManagedCluster, or `Absent`; KubeError when the hub does not answer."""
    found = {item["metadata"]["name"]: _word(item) for item in await hub.list_all(resources.MANAGED_CLUSTERS)}
    absent = Registration("Absent", f"has no ManagedCluster in {hub.cluster}")
    return {wec: _registration(found[wec]) if wec in found else absent for wec in wecs}


def _registration(word: str) -> Registration:
    return Registration(word, PROBLEMS.get(word, ""))


async def check_members(hub: KubeClient, wecs: Collection[str]) -> None:
    """FleetError that names those that are not."""
    found = {item["metadata"]["name"]: item for item in await hub.list_all(resources.MANAGED_CLUSTERS)}
    wrong = [name for name in wecs if _word(found.get(name)) != AVAILABLE]
    if wrong:
        raise FleetError(
            f"{hub.cluster}: {len(wrong)} of {len(wecs)} WECs are not registered and Available: "
            f"{named(wrong)}. See `fleet status`; `fleet up` repairs what it built"
        )
    unlabelled = [name for name in wecs if found[name]["metadata"].get("labels", {}).get(NAME_LABEL) != name]
    if unlabelled:
        raise FleetError(
            f"{hub.cluster}: the ManagedCluster of {named(unlabelled)} lacks the label {NAME_LABEL}=<name>, "
            "by which policies select it. `fleet up` sets it where it built the hub; elsewhere "
            f"`kubectl label managedcluster {unlabelled[0]} {NAME_LABEL}={unlabelled[0]}` does"
        )


def _word(managed: Mapping[str, Any] | None) -> str:
    """One word for a ManagedCluster, by its conditions."""
    available = _condition(managed, "ManagedClusterConditionAvailable")
    if available:
        return {"True": AVAILABLE, "False": "Unavailable"}.get(available, "Unknown")
    if _condition(managed, "ManagedClusterJoined") == "True":
        return "Joined"
    return "Accepted" if _condition(managed, "HubAcceptedManagedCluster") == "True" else "Pending"


def _condition(managed: Mapping[str, Any] | None, name: str) -> str:
    conditions = ((managed or {}).get("status") or {}).get("conditions") or []
    return next((str(c.get("status", "")) for c in conditions if c.get("type") == name), "")
