"""Which metrics of the API server and of a measured scheduler are kept."""

from __future__ import annotations

from fleet.analysis.program_table import HEAP
from fleet.analysis.request_table import API_SERVER_REQUESTS
from fleet.observe.metrics import Names

_NONE: frozenset[str] = frozenset()
_RESULT = frozenset({"result"})
ATTEMPTS = "scheduler_schedule_attempts_total"
ATTEMPT = "scheduler_scheduling_attempt_duration_seconds"
"""Of one attempt, its binding included: several are bound at once."""
ALGORITHM = "scheduler_scheduling_algorithm_duration_seconds"
"""Of what one attempt does in the scheduling cycle, which takes one pod after another."""
POINT = "scheduler_framework_extension_point_duration_seconds"
PENDING = "scheduler_pending_pods"
"""Gauge by queue: active, backoff, unschedulable, gated."""
LIMITER = "rest_client_rate_limiter_duration_seconds"
"""What requests waited for the client's own limit."""
REQUESTS = "rest_client_requests_total"
QUEUE = "queue"
SCHEDULER: Names = {
    HEAP: _NONE,
    ATTEMPTS: _RESULT,
    **{f"{ATTEMPT}_{part}": _RESULT for part in ("sum", "count")},
    f"{ATTEMPT}_bucket": _RESULT | {"le"},
    **{f"{ALGORITHM}_{part}": _NONE for part in ("sum", "count")},
    **{f"{POINT}_{part}": frozenset({"extension_point"}) for part in ("sum", "count")},
    PENDING: frozenset({QUEUE}),
    **{f"{LIMITER}_{part}": frozenset({"verb"}) for part in ("sum", "count")},
    REQUESTS: frozenset({"method", "code"}),
}
API_SERVER: Names = {
    HEAP: _NONE,
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource", "code"}),
}
