"""WECs at a KubeFleet hub: how each is registered, and whether all those of a run are joined and healthy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.resources import MEMBER_CLUSTERS
from fleet.managers.manager import ABSENT, Registration
from fleet.managers.named import named

JOINED = "Joined"
PROBLEMS = {
    "Leaving": "its MemberCluster is being deleted",
    "Unhealthy": "its MemberCluster is joined, not healthy",
    "Pending": "its agent has not joined",
}


async def registrations(hub: KubeClient, wecs: Collection[str]) -> dict[str, Registration]:
    """Each of those WECs with the word of its MemberCluster, or `Absent`; KubeError when the hub does not answer."""
    found = {item["metadata"]["name"]: word(item) for item in await hub.list_all(MEMBER_CLUSTERS)}
    absent = Registration(ABSENT, f"has no MemberCluster in {hub.cluster}")
    return {wec: Registration(found[wec], PROBLEMS.get(found[wec], "")) if wec in found else absent for wec in wecs}


async def check_members(hub: KubeClient, wecs: Collection[str]) -> None:
    """FleetError that names those that are not."""
    wrong = [wec for wec, found in (await registrations(hub, wecs)).items() if found.problem]
    if wrong:
        raise FleetError(
            f"{hub.cluster}: {len(wrong)} of {len(wecs)} WECs are not joined and healthy: {named(wrong)}. See"
            " `fleet status`; `fleet up` repairs what it built"
        )


def word(member: Mapping[str, Any]) -> str:
    """One word for a MemberCluster."""
    if member["metadata"].get("deletionTimestamp"):
        return "Leaving"
    if not _holds((member.get("status") or {}).get("conditions"), "Joined"):
        return "Pending"
    agents = (member.get("status") or {}).get("agentStatus") or []
    healthy = any(one.get("type") == "MemberAgent" and _holds(one.get("conditions"), "Healthy") for one in agents)
    return JOINED if healthy else "Unhealthy"


def _holds(conditions: Any, kind: str) -> bool:
    return any(one.get("type") == kind and one.get("status") == "True" for one in conditions or [])
