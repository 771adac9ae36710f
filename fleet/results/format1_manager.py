"""KubeStellar as the runs of format 1 knew it: data, so that those runs are read without any manager's code."""

from __future__ import annotations

from fleet.model.manager_record import (
    Aggregation,
    FixedDelay,
    HopRow,
    ManagerRecord,
    StageRow,
    StatusContract,
)

_COUNTERS = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas", "observedGeneration")

MANAGER = ManagerRecord(
    name="kubestellar",
    title="KubeStellar",
    terms={"source": "WDS", "transport": "ITS", "wec": "WEC"},
    hops=(
        HopRow(mark="created", space="source", per="object"),
        HopRow(mark="bound", space="source", resource="bindings.control.kubestellar.io", per="object"),
        HopRow(
            mark="packaged",
            space="transport",
            resource="manifestworks.work.open-cluster-management.io",
            not_before="bound",
        ),
        HopRow(
            mark="delivered",
            space="wec",
            resource="appliedmanifestworks.work.open-cluster-management.io",
            newest=True,
        ),
        HopRow(mark="activated", space="wec", owned_by="delivered"),
        HopRow(mark="ready", space="wec"),
        HopRow(
            mark="reported",
            space="transport",
            resource="workstatuses.control.kubestellar.io",
            compares="status",
        ),
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
    fixed=(FixedDelay(name="hold-back", mark="bound", seconds=2.0),),
    status=StatusContract(
        summary="Finalized: the object in the WDS has the status of its only WEC, or the aggregate of all WECs' "
        "statuses (per counter the smallest, of unavailable replicas the largest), at or after the last WorkStatus.",
        aggregations=(
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
        ),
    ),
    defaults={
        "transport_wds_qps": 5,
        "transport_wds_burst": 10,
        "transport_its_qps": 5,
        "transport_its_burst": 10,
        "transport_concurrency": 4,
        "max_num_wrapped": 1,
        "max_size_wrapped": 512000,
        "controller_wds_qps": 5,
        "controller_wds_burst": 10,
        "controller_its_qps": 5,
        "controller_its_burst": 10,
        "status_hub_qps": 5,
        "status_hub_burst": 10,
        "status_local_qps": 5,
        "status_local_burst": 10,
        "work_hub_qps": 50,
        "work_hub_burst": 100,
        "work_spoke_qps": 50,
        "work_spoke_burst": 100,
    },
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
    components=("controller-manager", "transport", "registration", "ocm-status-addon", "status-agent", "ocm-agent"),
    agents=("status-agent", "ocm-agent"),
)
