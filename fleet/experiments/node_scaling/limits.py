"""Which limit a window passed, from what was measured in it; the run and the report ask the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from fleet.experiments.node_scaling.spec import Limits

Window = Literal["idle", "pods"]
IDLE: Window = "idle"
PODS: Window = "pods"

LEASE_P99, LEASES = "lease renewal p99", "lease renewals"
NOT_READY = "nodes that turned not ready"
CHANGE_P99, GET_P99 = "API call p99, changes", "API call p99, one object"
NAMESPACE_P99, CLUSTER_P99 = "API call p99, lists of a namespace", "API call p99, lists of the cluster"
POD_START_P99 = "pod start p99"
POD_LOST = "pods that never ran"
UNITS = {
    LEASE_P99: "s", LEASES: "", NOT_READY: "", CHANGE_P99: "s", GET_P99: "s", NAMESPACE_P99: "s", CLUSTER_P99: "s",
    POD_START_P99: "s", POD_LOST: "",
}  # fmt: skip
"""Every quantity of a window that may end the growth."""
NAMESPACE_SHARE = 1 / 6
"""Of `list_call`: 5 s of 30 s."""


def passed(found: Mapping[str, float], limits: Limits) -> list[str]:
    """Each limit that these quantities passed, as a clause; the first is what gave way first in the order of causes."""
    return list(_passed(found, limits))


def _passed(found: Mapping[str, float], limits: Limits) -> Iterator[str]:
    if found.get(NOT_READY, 0) > 0:
        yield f"{found[NOT_READY]:.0f} nodes turned NotReady"
    if found.get(POD_LOST, 0) > 0:
        yield f"{found[POD_LOST]:.0f} pods did not run"
    for name, limit, words in (
        (LEASE_P99, limits.lease, "leases were late"),
        (POD_START_P99, limits.pod_start, "pods started late"),
        (CHANGE_P99, limits.api_call, "changes were answered late"),
        (GET_P99, limits.api_call, "reads of one object were answered late"),
        (NAMESPACE_P99, limits.list_call * NAMESPACE_SHARE, "lists of a namespace were answered late"),
        (CLUSTER_P99, limits.list_call, "lists of the cluster were answered late"),
    ):
        if name in found and found[name] > limit:
            yield f"{words} (p99 {found[name]:.3g} s, at most {limit:.3g} s)"
