"""Which metrics of the API server and of KubeVirt's programs are kept: requests, webhooks, queues, phases, heap."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.analysis.program_table import DEPTH, HEAP
from fleet.analysis.request_table import API_SERVER_REQUESTS, Counted
from fleet.analysis.webhook_table import LABELS, METRIC
from fleet.observe.metrics import Names
from fleet.platforms.kubevirt import names

_NONE: frozenset[str] = frozenset()
_WEBHOOK = {f"{METRIC}_{part}": LABELS for part in ("sum", "count", "bucket")}
API_SERVER: Names = {
    HEAP: _NONE,
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource", "code"}),
    "apiserver_storage_size_bytes": _NONE,
    **_WEBHOOK,
}
CLIENT = Counted("kubevirt_rest_client_requests_total")
"""KubeVirt's own count of what each of its programs requests."""
QUEUES = (DEPTH, "kubevirt_workqueue_depth")
TRANSITION = "kubevirt_vmi_phase_transition_time_from_creation_seconds"
"""What KubeVirt's thresholds are about; its stamps have whole seconds."""
_COMPONENT: Names = {
    HEAP: _NONE,
    CLIENT.name: frozenset({"verb", "resource", "code"}),
    **{name: frozenset({"name"}) for name in QUEUES},
    f"{TRANSITION}_bucket": frozenset({"phase", "le"}),
}
PROGRAMS: Mapping[str, Names] = {
    **dict.fromkeys(names.ACCOUNTS, _COMPONENT),
    names.STAGES: {HEAP: _NONE},
}
