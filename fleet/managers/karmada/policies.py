"""A policy as a PropagationPolicy in the namespace of its objects.

It selects by label within each kind, so that it can never pick up anything that the run did not make, and names its
WECs. The same for both layouts: they differ in how many WECs it names.
"""

from __future__ import annotations

from fleet.kube.resources import PROPAGATION_POLICIES
from fleet.managers.manager import Policy, Write
from fleet.model.run_names import POLICY_LABEL


def propagation_policy(policy: Policy) -> Write:
    """As it is sent to the hub."""
    selectors = [
        {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "labelSelector": {"matchLabels": {POLICY_LABEL: policy.name}},
        }
        for resource in policy.resources
    ]
    body = {
        "apiVersion": PROPAGATION_POLICIES.api_version,
        "kind": PROPAGATION_POLICIES.kind,
        "metadata": {"name": policy.name, "namespace": policy.namespace, "labels": dict(policy.labels)},
        "spec": {
            "resourceSelectors": selectors,
            "placement": {"clusterAffinity": {"clusterNames": list(policy.clusters)}},
        },
    }
    return Write(PROPAGATION_POLICIES, policy.name, policy.namespace, body)
