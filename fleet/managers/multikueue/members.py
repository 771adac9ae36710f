"""WECs at a MultiKueue hub: how each is registered, and whether all those of a run are active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.kube.conditions import condition_of
from fleet.managers.multikueue import names
from fleet.managers.roll import Roll

ACTIVE = "Active"
PROBLEMS = {
    "Leaving": "its MultiKueueCluster is being deleted",
    "Lost": "its MultiKueueCluster is not active: the hub does not reach it",
    "Pending": "its MultiKueueCluster has no condition Active yet",
}


def word(member: Mapping[str, Any]) -> str:
    """One word for a MultiKueueCluster."""
    if member["metadata"].get("deletionTimestamp"):
        return "Leaving"
    return {"True": ACTIVE, "False": "Lost"}.get(condition_of(member, ACTIVE), "Pending")


ROLL = Roll(names.CLUSTERS, word, PROBLEMS, "active workers")
registrations, check_members = ROLL.registrations, ROLL.check
