"""Whether every WEC of a run is a member of its hub: registered, Available, and labelled with its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.managers.named import named

NAME_LABEL = "name"
"""Label of a ManagedCluster that holds the WEC's name, by which policies select it; the `register` role sets it."""


async def check_members(hub: KubeClient, wecs: Collection[str]) -> None:
    """FleetError that names those that are not."""
    found = {item["metadata"]["name"]: item for item in await hub.list_all(resources.MANAGED_CLUSTERS)}
    wrong = [name for name in wecs if not _available(found.get(name))]
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


def _available(item: Mapping[str, Any] | None) -> bool:
    conditions = (item or {}).get("status", {}).get("conditions", [])
    return any(
        entry.get("type") == "ManagedClusterConditionAvailable" and entry.get("status") == "True"
        for entry in conditions
    )
