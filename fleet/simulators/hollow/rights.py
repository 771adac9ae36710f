"""What hollow nodes may do in a WEC, and who may read their metrics: RBAC objects that are made once and stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.host.https import Endpoint
from fleet.simulators import node_objects

GROUP = "rbac.authorization.k8s.io"
NODES = "fleet-testbed-hollow-nodes"
METRICS = "fleet-testbed-hollow-metrics"
PROXY = "fleet-testbed-hollow-proxy"
MONITORING = "system:monitoring"
"""Kubernetes' group for those who scrape; its own role opens pages of control planes, and none of kubelets."""


def _binding(name: str, role: str, group: str) -> dict[str, Any]:
    return {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group}],
    }


OBJECTS: tuple[dict[str, Any], ...] = (
    # A cluster with the Node authorizer needs no such binding; those of the testbed have RBAC alone.
    _binding(NODES, "system:node", "system:nodes"),
    {
        "kind": "ClusterRole",
        "metadata": {"name": METRICS},
        "rules": [{"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}],
    },
    _binding(METRICS, METRICS, MONITORING),
    # The proxy of the API server gives more than metrics; there is nothing behind it.
    {
        "kind": "ClusterRole",
        "metadata": {"name": PROXY},
        "rules": [{"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]}],
    },
    _binding(PROXY, PROXY, MONITORING),
)


def ensure(cluster: str, endpoint: Endpoint, *, check: bool) -> Mapping[str, str]:
    """Make what is missing (with `check` only look); names of it."""
    made = {}
    for body in OBJECTS:
        plural, name = f"{body['kind'].lower()}s", body["metadata"]["name"]
        path = f"/apis/{GROUP}/v1/{plural}"
        found = endpoint.request("GET", f"{path}/{name}")
        node_objects.expect(cluster, found, node_objects.OK, node_objects.NOT_FOUND)
        if found.status == node_objects.OK:
            continue
        made[f"{cluster} {plural} {name}"] = "present"
        if not check:
            answer = endpoint.request("POST", path, {"apiVersion": f"{GROUP}/v1", **body})
            node_objects.expect(cluster, answer, node_objects.CREATED, node_objects.CONFLICT)
    return made
