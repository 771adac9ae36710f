"""Which metrics of the API server and of Kyverno's controllers are kept."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.analysis.program_table import HEAP
from fleet.analysis.request_table import API_SERVER_REQUESTS, Counted
from fleet.analysis.webhook_table import LABELS, METRIC
from fleet.observe.metrics import Names
from fleet.platforms.kyverno import names

_NONE: frozenset[str] = frozenset()
API_SERVER: Names = {
    HEAP: _NONE,
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource", "code"}),
    **{f"{METRIC}_{part}": LABELS for part in ("sum", "count", "bucket")},
}
CLIENT = Counted("kyverno_client_queries_total", verb="operation", resource="resource_kind", code="client_type")
"""Kyverno's own count of what its controllers request; it has no codes, but which of its clients."""
_COMPONENT: Names = {HEAP: _NONE, CLIENT.name: frozenset({"operation", "resource_kind", "client_type"})}
PROGRAMS: Mapping[str, Names] = dict.fromkeys(names.CONTROLLERS, _COMPONENT)
