"""Which metrics of API servers are kept."""

from __future__ import annotations

from fleet.analysis.program_table import HEAP
from fleet.analysis.request_table import API_SERVER_REQUESTS
from fleet.observe.metrics import Names

API_SERVER: Names = {
    HEAP: frozenset(),
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource", "code"}),
}
