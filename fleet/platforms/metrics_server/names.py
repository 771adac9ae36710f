"""Names of metrics-server's objects, as upstream's manifest has them, and of its program."""

from __future__ import annotations

from fleet.kube.resources import Resource

COMPONENT = "metrics-server"
NAMESPACE = "kube-system"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{COMPONENT}"
GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
ROLE = "system:metrics-server"
READER_ROLE = "system:aggregated-metrics-reader"
GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API = f"{VERSION}.{GROUP}"

NODE_METRICS = Resource(GROUP, VERSION, "nodes", "NodeMetrics", namespaced=False)
POD_METRICS = Resource(GROUP, VERSION, "pods", "PodMetrics", namespaced=True)


def program(wec: str) -> str:
    """Under the machine's supervisor."""
    return f"{COMPONENT}.{wec}"
