"""KubeFleet 0.14 as data: marks, stages, waves, and what it reports of statuses (read in its source, seen live)."""

from __future__ import annotations

from fleet.kube.resources import (
    APPLIED_WORKS,
    CLUSTER_RESOURCE_BINDINGS,
    CLUSTER_RESOURCE_PLACEMENTS,
    CLUSTER_RESOURCE_SNAPSHOTS,
    FLEET_WORKS,
)
from fleet.managers.kubefleet import names
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import FixedDelay, HopRow, ManagerRecord, StageRow, StatusContract

POLICY = HopRow(mark="", space="source", resource=str(CLUSTER_RESOURCE_PLACEMENTS))
SNAPSHOT = HopRow(mark="snapshot", space="source", resource=str(CLUSTER_RESOURCE_SNAPSHOTS), per="object")
BOUND = HopRow(mark="bound", space="source", resource=str(CLUSTER_RESOURCE_BINDINGS))
PACKAGED = HopRow(mark="packaged", space="transport", resource=str(FLEET_WORKS))
DELIVERED = HopRow(mark="delivered", space="wec", resource=str(APPLIED_WORKS), newest=True)
APPLIED = HopRow(mark="applied", space="transport", resource=str(FLEET_WORKS))
AVAILABLE = HopRow(mark="available", space="transport", resource=str(FLEET_WORKS))
FINALIZED = HopRow(
    mark="finalized", space="source", resource=str(CLUSTER_RESOURCE_PLACEMENTS), per="object", compares="counts"
)

CHECK_SECONDS = 5.0
"""A member agent looks again after it at an object that was not available (`availability-check-interval`)."""
UNAVAILABLE_FACT, PERIOD_FACT = "max_unavailable", "unavailable_period_seconds"
"""Of the fleet file's manager: how a rollout goes on."""

RECORD = ManagerRecord(
    name="kubefleet",
    title="KubeFleet",
    terms={"source": "hub", "transport": "hub", "wec": "WEC"},
    hops=(
        HopRow(mark="created", space="source", per="object"),
        SNAPSHOT,
        BOUND,
        PACKAGED,
        DELIVERED,
        HopRow(mark="activated", space="wec"),
        APPLIED,
        HopRow(mark="ready", space="wec"),
        AVAILABLE,
        FINALIZED,
    ),
    stages=(
        StageRow(
            name="snapshot",
            text="Hub object to snapshot of its namespace",
            begins="created",
            ends="snapshot",
            per="object",
        ),
        StageRow(name="binding", text="Snapshot to a WEC's binding", begins="snapshot", ends="bound"),
        StageRow(name="packaging", text="Binding to Work", begins="bound", ends="packaged"),
        StageRow(name="delivery", text="Work to WEC object", begins="packaged", ends="activated"),
        StageRow(name="acknowledgement", text="WEC object to condition Applied", begins="activated", ends="applied"),
        StageRow(name="report", text="Final WEC status to condition Available", begins="ready", ends="available"),
        StageRow(
            name="finalization",
            text="Ready in all WECs to placement Available",
            begins="ready",
            ends="finalized",
            per="object",
        ),
    ),
    fixed=(FixedDelay(name="availability check", mark="available", seconds=CHECK_SECONDS),),
    status=StatusContract(
        summary="Finalized: the ClusterResourcePlacement counts every WEC as available with a snapshot that holds the"
        " object, at or after its status was final in every WEC; no status is returned to the hub.",
        poll_seconds=CHECK_SECONDS,
    ),
    components=(names.HUB_AGENT, names.MEMBER_AGENT),
    agents=(names.MEMBER_AGENT,),
    scraped=(names.HUB_AGENT,),
)


def record(fleet: FleetFile) -> ManagerRecord:
    """What `run.json` keeps. A wave waits for the one before: one that reaches all WECs at once is no wave."""
    defaults = {name: value for name, value in ClientLimits().model_dump().items() if name in fleet.limits}
    most = fleet.manager.facts.get(UNAVAILABLE_FACT, "25%")
    title = f"KubeFleet {fleet.manager.version} (maxUnavailable {most})"
    return RECORD.model_copy(update={"version": fleet.manager.version, "title": title, "defaults": defaults})
