"""Which metrics of the API server and of Karpenter are kept: requests, queues, heap, decisions, its own latencies."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.analysis.program_table import DEPTH, HEAP
from fleet.analysis.request_table import API_SERVER_REQUESTS, Counted
from fleet.observe.metrics import Names
from fleet.platforms.karpenter import names

_NONE: frozenset[str] = frozenset()
_REASON = frozenset({"reason"})
API_SERVER: Names = {
    HEAP: _NONE,
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource", "code"}),
    "apiserver_storage_size_bytes": _NONE,
}
CLIENT = Counted("client_go_request_duration_seconds_count", resource="kind")
"""Karpenter's own count of what it requests; it says no code with the kind."""
ANSWERS = Counted("client_go_request_total", verb="method", resource="")
"""The same by code, without the kind."""
CREATED, DISRUPTED = "karpenter_nodeclaims_created_total", "karpenter_nodeclaims_disrupted_total"
TERMINATED = "karpenter_nodeclaims_terminated_total"
DECISIONS: Names = {
    CREATED: _REASON,
    DISRUPTED: _REASON,
    TERMINATED: _NONE,
    "karpenter_voluntary_disruption_decisions_total": frozenset({"decision", "reason", "consolidation_type"}),
    "karpenter_voluntary_disruption_failed_validations_total": frozenset({"consolidation_type"}),
    "karpenter_voluntary_disruption_consolidation_timeouts_total": frozenset({"consolidation_type"}),
    "karpenter_voluntary_disruption_queue_failures_total": frozenset({"decision", "reason", "consolidation_type"}),
    "karpenter_nodes_eviction_requests_total": frozenset({"code"}),
    "karpenter_pods_drained_total": _REASON,
}
"""What it decided, and what came of it."""
HISTOGRAMS: Mapping[str, str] = {
    "karpenter_pods_bound_duration_seconds": "pod_pending",
    "karpenter_pods_provisioning_bound_duration_seconds": "",
    "karpenter_pods_scheduling_decision_duration_seconds": "",
    "karpenter_scheduler_scheduling_duration_seconds": "",
    "karpenter_voluntary_disruption_decision_evaluation_duration_seconds": "",
    "karpenter_nodeclaims_termination_duration_seconds": "claim_deleted",
}
"""Its own latencies, each with the stage here that is about the same; empty: nobody outside sees it."""
PROGRAMS: Mapping[str, Names] = {
    names.CONTROLLER: {
        HEAP: _NONE,
        DEPTH: frozenset({"name"}),
        CLIENT.name: frozenset({"verb", "kind"}),
        ANSWERS.name: frozenset({"method", "code"}),
        **DECISIONS,
        **{f"{name}_bucket": frozenset({"le"}) for name in HISTOGRAMS},
    }
}
