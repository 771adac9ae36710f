"""Plain OCM 1.2 as data: marks, stages, and what its hub shows of a status (read in its source, seen live)."""

from __future__ import annotations

from fleet.kube.resources import (
    APPLIED_MANIFEST_WORKS,
    MANIFEST_WORK_REPLICA_SETS,
    MANIFEST_WORKS,
    PLACEMENT_DECISIONS,
)
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import HopRow, ManagerRecord, StageRow, StatusContract

CREATED = HopRow(mark="created", space="source", resource=str(MANIFEST_WORK_REPLICA_SETS), per="object")
DECIDED = HopRow(mark="", space="source", resource=str(PLACEMENT_DECISIONS), per="object")
PACKAGED = HopRow(mark="packaged", space="transport", resource=str(MANIFEST_WORKS))
DELIVERED = HopRow(mark="delivered", space="wec", resource=str(APPLIED_MANIFEST_WORKS), newest=True)
APPLIED = HopRow(mark="applied", space="transport", resource=str(MANIFEST_WORKS))
REPORTED = HopRow(mark="reported", space="transport", resource=str(MANIFEST_WORKS), compares="fields")
FINALIZED = HopRow(
    mark="finalized", space="source", resource=str(MANIFEST_WORK_REPLICA_SETS), per="object", compares="counts"
)

QPS, BURST = 50.0, 100.0
"""Client limits of every program of OCM 1.2, unless a flag says otherwise."""
POLL_SECONDS = 10.0
"""How often the work agent looks at what it reports on (`StatusSyncInterval`), unless a feedback rule says Watch."""
SCRAPE_FACT = "feedback_scrape_type"
"""Of the fleet file's manager: `Poll` or `Watch`; absent: OCM's own choice, which is to poll."""

RECORD = ManagerRecord(
    name="ocm",
    title="Open Cluster Management",
    terms={"source": "hub", "transport": "hub", "wec": "WEC"},
    hops=(
        CREATED,
        PACKAGED,
        DELIVERED,
        HopRow(mark="activated", space="wec", owned_by="delivered"),
        APPLIED,
        HopRow(mark="ready", space="wec"),
        REPORTED,
        FINALIZED,
    ),
    stages=(
        StageRow(name="packaging", text="Replica set to ManifestWork", begins="created", ends="packaged"),
        StageRow(
            name="delivery",
            text="ManifestWork to AppliedManifestWork",
            begins="packaged",
            ends="delivered",
            bundled="delivered",
        ),
        StageRow(
            name="activation",
            text="AppliedManifestWork to WEC object",
            begins="delivered",
            ends="activated",
            bundled="delivered",
        ),
        StageRow(name="acknowledgement", text="WEC object to condition Applied", begins="activated", ends="applied"),
        StageRow(name="report", text="Final WEC status to feedback values", begins="ready", ends="reported"),
        StageRow(
            name="finalization",
            text="Last feedback to complete summary",
            begins="reported",
            ends="finalized",
            per="object",
        ),
    ),
    status=StatusContract(
        summary="Finalized: the ManifestWorkReplicaSet counts every WEC's work as applied and available, at or after "
        "the last WEC's feedback values equal its object's final status; no status is written to the object itself.",
        poll_seconds=POLL_SECONDS,
    ),
    components=("registration", "placement", "work-manager", "ocm-agent", "agent-host"),
    agents=("ocm-agent", "agent-host"),
    scraped=("placement", "work-manager"),
    # Its informers run, its workers only with the feature gate CleanUpCompletedManifestWork (pkg/work/hub/manager.go).
    unserved=("ManifestWorkGarbageCollectionController",),
)


def record(fleet: FleetFile) -> ManagerRecord:
    """What `run.json` keeps; where feedback is watched, without a period of polling."""
    defaults = {name: QPS if name.endswith("_qps") else BURST for name in fleet.limits}
    changes: dict[str, object] = {"version": fleet.manager.version, "defaults": defaults}
    if RECORD.status is not None and fleet.manager.facts.get(SCRAPE_FACT) == "Watch":
        changes["status"] = RECORD.status.model_copy(update={"poll_seconds": None})
    return RECORD.model_copy(update=changes)
