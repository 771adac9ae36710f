"""Which WECs are members of an OCM hub: how each is registered, and whether all those of a run are Available."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition, condition_of
from fleet.managers.named import named
from fleet.managers.roll import Roll

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


def _word(managed: Mapping[str, Any]) -> str:
    """One word for a ManagedCluster, by its conditions."""
    available = condition_of(managed, "ManagedClusterConditionAvailable")
    if available:
        return {"True": AVAILABLE, "False": "Unavailable"}.get(available, "Unknown")
    if condition(managed, "ManagedClusterJoined"):
        return "Joined"
    return "Accepted" if condition(managed, "HubAcceptedManagedCluster") else "Pending"


ROLL = Roll(resources.MANAGED_CLUSTERS, _word, PROBLEMS, "registered and Available")
registrations = ROLL.registrations


async def check_members(hub: KubeClient, wecs: Collection[str]) -> None:
    """FleetError that names those that are not, or that policies could not select."""
    found = await ROLL.check(hub, wecs)
    unlabelled = [name for name in wecs if found[name]["metadata"].get("labels", {}).get(NAME_LABEL) != name]
    if unlabelled:
        raise FleetError(
            f"{hub.cluster}: the ManagedCluster of {named(unlabelled)} lacks the label {NAME_LABEL}=<name>, "
            "by which policies select it. `fleet up` sets it where it built the hub; elsewhere "
            f"`kubectl label managedcluster {unlabelled[0]} {NAME_LABEL}={unlabelled[0]}` does"
        )
