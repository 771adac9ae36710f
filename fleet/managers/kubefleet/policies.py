"""A policy as a ClusterResourcePlacement that takes one namespace with all that is in it to the named WECs.

KubeFleet 0.14 selects cluster-scoped objects, and of namespaced ones whole namespaces. The same for both layouts: they
differ in how many WECs it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleet.kube.resources import CLUSTER_RESOURCE_PLACEMENTS
from fleet.managers.manager import Policy, Write


@dataclass(frozen=True)
class Rollout:
    """How a change goes from WEC to WEC."""

    most: str = "25%"
    """WECs that it may reach at a time: a number, or a part of the policy's (`maxUnavailable`)."""
    period: int = 60
    """Seconds after which a WEC of which KubeFleet cannot say counts as available."""

    def strategy(self) -> dict[str, Any]:
        """As a placement has it."""
        most: int | str = int(self.most) if self.most.isdigit() else self.most
        rolling = {"maxUnavailable": most, "unavailablePeriodSeconds": self.period}
        return {"type": "RollingUpdate", "rollingUpdate": rolling}


def placement(policy: Policy, rollout: Rollout) -> Write:
    """As it is sent to the hub."""
    body = {
        "apiVersion": CLUSTER_RESOURCE_PLACEMENTS.api_version,
        "kind": CLUSTER_RESOURCE_PLACEMENTS.kind,
        "metadata": {"name": policy.name, "labels": dict(policy.labels)},
        "spec": {
            "resourceSelectors": [{"group": "", "version": "v1", "kind": "Namespace", "name": policy.namespace}],
            "policy": {"placementType": "PickFixed", "clusterNames": list(policy.clusters)},
            "strategy": rollout.strategy(),
        },
    }
    return Write(CLUSTER_RESOURCE_PLACEMENTS, policy.name, None, body)
