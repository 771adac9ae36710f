"""WECs at a Karmada hub: how each is registered, and whether all those of a run are Ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.kube.conditions import condition_of
from fleet.kube.resources import KARMADA_CLUSTERS
from fleet.managers.roll import Roll

READY = "Ready"
PROBLEMS = {
    "Leaving": "its Cluster is being deleted",
    "NotReady": "its Cluster is not Ready",
    "Unknown": "its Cluster is unknown: nobody reports on it",
    "Joined": "its Cluster has no condition Ready yet",
}


def word(cluster: Mapping[str, Any]) -> str:
    """One word for a Cluster."""
    if cluster["metadata"].get("deletionTimestamp"):
        return "Leaving"
    known = {"True": READY, "False": "NotReady", "Unknown": "Unknown"}
    return known.get(condition_of(cluster, READY), "Joined")


ROLL = Roll(KARMADA_CLUSTERS, word, PROBLEMS, "registered and Ready")
registrations, check_members = ROLL.registrations, ROLL.check
