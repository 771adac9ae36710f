"""KubeStellar 0.30 as data: marks, stages, hold-back, and how it returns statuses (read in its source, seen live)."""

from __future__ import annotations

from fleet.kube.resources import APPLIED_MANIFEST_WORKS, BINDINGS, MANIFEST_WORKS, WORK_STATUSES
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import (
    Aggregation,
    FixedDelay,
    HopRow,
    ManagerRecord,
    StageRow,
    StatusContract,
)

BOUND = HopRow(mark="bound", space="source", resource=str(BINDINGS), per="object")
PACKAGED = HopRow(mark="packaged", space="transport", resource=str(MANIFEST_WORKS), not_before="bound")
DELIVERED = HopRow(mark="delivered", space="wec", resource=str(APPLIED_MANIFEST_WORKS), newest=True)
REPORTED = HopRow(mark="reported", space="transport", resource=str(WORK_STATUSES), compares="status")

HOLD_BACK_SECONDS = 2.0
"""The controller-manager delays every Binding sync by this: what rides on a scheduled one looks 20 times faster."""
_COUNTERS = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas", "observedGeneration")
_AGGREGATIONS = (
    Aggregation(
        group="apps",
        resource="deployments",
        smallest=_COUNTERS,
        largest=("unavailableReplicas",),
        condition=("Progressing", "ProgressDeadlineExceeded"),
    ),
    Aggregation(
        group="apps",
        resource="replicasets",
        smallest=("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"),
        condition=("ReplicaFailure", None),
    ),
    Aggregation(
        group="apps",
        resource="daemonsets",
        smallest=(
            "currentNumberScheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
        ),
        largest=("numberMisscheduled",),
    ),
)

RECORD = ManagerRecord(
    name="kubestellar",
    title="KubeStellar",
    terms={"source": "WDS", "transport": "ITS", "wec": "WEC"},
    hops=(
        HopRow(mark="created", space="source", per="object"),
        BOUND,
        PACKAGED,
        DELIVERED,
        HopRow(mark="activated", space="wec", owned_by="delivered"),
        HopRow(mark="ready", space="wec"),
        REPORTED,
        HopRow(mark="finalized", space="source", per="object"),
    ),
    stages=(
        StageRow(name="binding", text="WDS object to Binding", begins="created", ends="bound", per="object"),
        StageRow(name="packaging", text="WDS object to ManifestWork", begins="created", ends="packaged"),
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
        StageRow(name="report", text="Final WEC status to WorkStatus", begins="ready", ends="reported"),
        StageRow(
            name="finalization",
            text="Last WorkStatus to WDS status",
            begins="reported",
            ends="finalized",
            per="object",
        ),
    ),
    fixed=(FixedDelay(name="hold-back", mark="bound", seconds=HOLD_BACK_SECONDS, holds_back=True),),
    status=StatusContract(
        summary="Finalized: the object in the WDS has the status of its only WEC, or the aggregate of all WECs' "
        "statuses (per counter the smallest, of unavailable replicas the largest), at or after the last WorkStatus.",
        aggregations=_AGGREGATIONS,
    ),
    defaults=ClientLimits().model_dump(),
    metrics={
        "packaging": "kubestellar_downsync_packaging_duration_seconds",
        "delivery": "kubestellar_downsync_delivery_duration_seconds",
        "activation": "kubestellar_downsync_activation_duration_seconds",
        "downsync": "kubestellar_downsync_duration_seconds",
        "report": "kubestellar_statusPropagation_report_duration_seconds",
        "finalization": "kubestellar_statusPropagation_finalization_duration_seconds",
        "status": "kubestellar_statusPropagation_duration_seconds",
        "e2e": "kubestellar_e2e_latency_duration_seconds",
        "workload_count": "kubestellar_workload_count",
    },
    components=(
        "controller-manager",
        "transport",
        "registration",
        "ocm-status-addon",
        "status-agent",
        "ocm-agent",
        "agent-host",
    ),
    agents=("status-agent", "ocm-agent", "agent-host"),
    scraped=("transport", "controller-manager", "status-agent", "ocm-status-addon"),
    series={"kubestellar_*": ("space", "method", "resource")},
)
"""`metrics` are the names of its latency controller."""


def record(fleet: FleetFile) -> ManagerRecord:
    """What `run.json` keeps."""
    defaults = {name: value for name, value in RECORD.defaults.items() if name in fleet.limits}
    return RECORD.model_copy(update={"version": fleet.manager.version, "defaults": defaults})
