"""WECs at a KubeFleet hub: how each is registered, and whether all those of a run are joined and healthy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.kube.conditions import condition
from fleet.kube.resources import MEMBER_CLUSTERS
from fleet.managers.roll import Roll

JOINED = "Joined"
PROBLEMS = {
    "Leaving": "its MemberCluster is being deleted",
    "Unhealthy": "its MemberCluster is joined, not healthy",
    "Pending": "its agent has not joined",
}


def word(member: Mapping[str, Any]) -> str:
    """One word for a MemberCluster."""
    if member["metadata"].get("deletionTimestamp"):
        return "Leaving"
    if not condition(member, "Joined"):
        return "Pending"
    agents = (member.get("status") or {}).get("agentStatus") or []
    healthy = any(one.get("type") == "MemberAgent" and condition({"status": one}, "Healthy") for one in agents)
    return JOINED if healthy else "Unhealthy"


ROLL = Roll(MEMBER_CLUSTERS, word, PROBLEMS, "joined and healthy")
registrations, check_members = ROLL.registrations, ROLL.check
