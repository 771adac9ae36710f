"""The NodePool and the Deployments of a scenario, as bodies to be created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.experiments.karpenter_scale.scenarios import Load
from fleet.platforms.karpenter import names

IMAGE = "registry.example/pause:3.10"
"""Named, and pulled by nobody."""
APP = "app"
SMALLER_THAN = "32"
"""CPUs: a node has at most 16."""
DRIFT = "fleet-testbed/drift"
"""Annotation of the NodePool's template: another value is another template."""


def node_pool(
    name: str, labels: Mapping[str, str], space: Mapping[str, Any], consolidate_after: float
) -> dict[str, Any]:
    """Upstream's default NodePool for its suite: linux, on demand, less than 32 CPUs, any number of nodes at a time.

    Its NodeClaims and nodes have `labels` too. The run's namespace `space` owns it: whoever removes that removes both.
    """
    owner = {"apiVersion": "v1", "kind": "Namespace"} | {key: space["metadata"][key] for key in ("name", "uid")}
    return {
        "apiVersion": names.NODE_POOLS.api_version,
        "kind": names.NODE_POOLS.kind,
        "metadata": {"name": name, "labels": dict(labels), "ownerReferences": [owner]},
        "spec": {
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {
                    "requirements": [
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
                        {"key": "karpenter.kwok.sh/instance-size", "operator": "Lt", "values": [SMALLER_THAN]},
                    ],
                    "nodeClassRef": {
                        "group": names.NODE_CLASSES.group,
                        "kind": names.NODE_CLASSES.kind,
                        "name": names.NODE_CLASS,
                    },
                    "expireAfter": "Never",
                },
            },
            "disruption": {
                "consolidationPolicy": "WhenEmptyOrUnderutilized",
                "consolidateAfter": f"{consolidate_after:.0f}s",
                "budgets": [{"nodes": "100%"}],
            },
        },
    }


def drifted(value: str) -> dict[str, Any]:
    """A patch of the NodePool that makes all of its nodes differ from it."""
    return {"spec": {"template": {"metadata": {"annotations": {DRIFT: value}}}}}


def deployment(name: str, load: Load, labels: Mapping[str, str]) -> dict[str, Any]:
    """One Deployment; its pods have `labels`, and the load's name as their app."""
    own = {**labels, APP: name}
    template: dict[str, Any] = {"labels": own}
    if load.protected:
        template["annotations"] = {"karpenter.sh/do-not-disrupt": "true"}
    requests = {"cpu": load.cpu, "memory": load.memory}
    spec: dict[str, Any] = {
        "containers": [{"name": "app", "image": IMAGE, "resources": {"requests": requests}}],
    }
    if constraints := list(_spread(name, load)):
        spec["topologySpreadConstraints"] = constraints
    if load.alone:
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {APP: name}}}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "replicas": load.replicas,
            "selector": {"matchLabels": {APP: name}},
            "template": {"metadata": template, "spec": spec},
        },
    }


def _spread(name: str, load: Load) -> Iterator[dict[str, Any]]:
    for wanted, key in ((load.per_zone, "topology.kubernetes.io/zone"), (load.per_host, "kubernetes.io/hostname")):
        if wanted:
            yield {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {APP: name}},
            }
