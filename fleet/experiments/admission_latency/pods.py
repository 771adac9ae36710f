"""The pod of every request: it keeps every rule, and a simulated node is named in it, so that nothing schedules it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Pod = dict[str, Any]
TEAM = "team"
"""The label that the single rule demands."""


def pod(name: str, node: str, labels: Mapping[str, str]) -> Pod:
    """As a body to be created."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {**labels, TEAM: "perf"}},
        "spec": {
            "nodeName": node,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "app",
                    "image": "busybox:1",
                    "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "32Mi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
