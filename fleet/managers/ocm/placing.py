"""A policy as a Placement, and an object of the workload as a ManifestWorkReplicaSet, in the policy's namespace."""

from __future__ import annotations

from typing import Any

from fleet.errors import UsageError
from fleet.kube.resources import (
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    MANAGED_CLUSTER_SET_BINDINGS,
    MANIFEST_WORK_REPLICA_SETS,
    PLACEMENTS,
    PODS,
    Resource,
)
from fleet.managers.manager import Policy, Write
from fleet.managers.ocm.members import NAME_LABEL
from fleet.model.run_names import RUN_LABEL

CLUSTER_SET = "global"
"""The ManagedClusterSet that OCM makes by itself, of all clusters. A Placement selects nothing without a binding."""
WELL_KNOWN = frozenset({DEPLOYMENTS, DAEMONSETS, JOBS, PODS})
"""Kinds for which OCM 1.2 has rules of type WellKnownStatus (`pkg/work/spoke/statusfeedback/rules`)."""
KEY_CHARACTERS = 63
"""The work manager labels each ManifestWork with `<namespace>.<name>` of its set: a label's value is not longer."""


def placement(policy: Policy) -> Write:
    """The WECs of the policy, by the label that holds their name, whatever taints they have."""
    selector = {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": list(policy.clusters)}]}
    body = {
        "apiVersion": PLACEMENTS.api_version,
        "kind": PLACEMENTS.kind,
        "metadata": {"name": policy.name, "namespace": policy.namespace, "labels": dict(policy.labels)},
        "spec": {
            "clusterSets": [CLUSTER_SET],
            "tolerations": [{"operator": "Exists"}],
            "predicates": [{"requiredClusterSelector": {"labelSelector": selector}}],
        },
    }
    return Write(PLACEMENTS, policy.name, policy.namespace, body)


def set_binding(namespace: str, labels: dict[str, str]) -> dict[str, Any]:
    """Lets Placements of the namespace select from all clusters. Its name must be the set's."""
    return {
        "apiVersion": MANAGED_CLUSTER_SET_BINDINGS.api_version,
        "kind": MANAGED_CLUSTER_SET_BINDINGS.kind,
        "metadata": {"name": CLUSTER_SET, "namespace": namespace, "labels": labels},
        "spec": {"clusterSet": CLUSTER_SET},
    }


def replica_set(policy: Policy, write: Write, scrape: str) -> Write:
    """The object in a ManifestWorkReplicaSet of its own; `scrape` is `feedbackScrapeType`, empty for OCM's default.

    UsageError when the set's name does not fit the label that OCM makes of it.
    """
    # Objects of a profile may share a name where their kinds differ; all sets are of one kind.
    name = write.name if len(policy.resources) == 1 else f"{write.name}-{write.resource.kind.lower()}"
    key = f"{policy.namespace}.{name}"
    if len(key) > KEY_CHARACTERS or "." in name:
        raise UsageError(
            f"workload: OCM labels the works of {key} with that name, and a label takes {KEY_CHARACTERS} characters "
            "and no further dot: shorter names of WECs (wec_prefix) or of the profile's objects"
        )
    template: dict[str, Any] = {"workload": {"manifests": [write.body]}}
    if write.resource in WELL_KNOWN:
        template["manifestConfigs"] = [_feedback(write, scrape)]
    labels = {RUN_LABEL: str(write.body["metadata"]["labels"][RUN_LABEL])}
    body = {
        "apiVersion": MANIFEST_WORK_REPLICA_SETS.api_version,
        "kind": MANIFEST_WORK_REPLICA_SETS.kind,
        "metadata": {"name": name, "namespace": policy.namespace, "labels": labels},
        "spec": {"placementRefs": [{"name": policy.name}], "manifestWorkTemplate": template},
    }
    return Write(MANIFEST_WORK_REPLICA_SETS, name, policy.namespace, body)


def has_feedback(resource: Resource) -> bool:
    """Whether its status comes back."""
    return resource in WELL_KNOWN


def _feedback(write: Write, scrape: str) -> dict[str, Any]:
    resource = write.resource
    rule: dict[str, Any] = {
        "resourceIdentifier": {
            "group": resource.group,
            "resource": resource.plural,
            "namespace": write.namespace,
            "name": write.name,
        },
        "feedbackRules": [{"type": "WellKnownStatus"}],
    }
    return rule | ({"feedbackScrapeType": scrape} if scrape else {})
