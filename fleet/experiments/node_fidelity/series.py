"""Which metrics of the API server are kept, and the names of the quantities that a run writes down."""

from __future__ import annotations

from fleet.analysis.request_table import API_SERVER_REQUESTS
from fleet.observe.metrics import Names

CPU = "process_cpu_seconds_total"
LIVE = "go_gc_heap_live_bytes"
"""What the last collection left: resident memory does not go back when nodes are stopped."""
STACKS = "go_memory_classes_heap_stacks_bytes"
GOROUTINES = "go_goroutines"
DESCRIPTORS = "process_open_fds"
LONG_RUNNING = "apiserver_longrunning_requests"
ANSWERED = "apiserver_response_sizes_sum"
WATCHED = "apiserver_watch_events_sizes_sum"

_NONE: frozenset[str] = frozenset()
KEPT: Names = {
    **dict.fromkeys((CPU, LIVE, STACKS, GOROUTINES, DESCRIPTORS), _NONE),
    API_SERVER_REQUESTS.name: frozenset({"verb", "resource", "subresource"}),
    LONG_RUNNING: frozenset({"verb", "resource"}),
    ANSWERED: frozenset({"verb", "resource"}),
    WATCHED: frozenset({"resource"}),
}

NODES = "nodes"
NODE_CPU = "CPU of the nodes' own programs"
NODE_MEMORY = "memory of the nodes' own programs"
IDLE, PODS = "idle", "pods"
"""Steps of a trial; the metrics are read at their edges."""
NONE = "none"
"""The point at which no node runs."""
