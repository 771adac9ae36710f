"""BindingPolicies by layout, and how the status of each kind returns.

`one-to-one` requests the singleton status, `one-to-many` the multi-WEC status. Both select by label, API group,
resource and namespace, so that a policy can never pick up anything that the run did not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

from fleet.kube.resources import BINDING_POLICIES, DEPLOYMENTS, Resource
from fleet.managers.manager import Policy, Write
from fleet.managers.ocm.members import NAME_LABEL
from fleet.model.kinds import is_returned
from fleet.model.run_names import POLICY_LABEL

StatusReturn = Literal["copy", "aggregate", "report", "none"]

# KubeStellar 0.30 aggregates these of our kinds over several WECs; any other kind keeps its first reporter's status.
_AGGREGATED = frozenset({DEPLOYMENTS})


def binding_policy(policy: Policy) -> Write:
    """The BindingPolicy as it is sent to the WDS."""
    ordered = sorted(policy.resources, key=lambda resource: (not _returned(resource), resource.group))
    groups = groupby(ordered, key=lambda resource: (not _returned(resource), resource.group))
    body = {
        "apiVersion": BINDING_POLICIES.api_version,
        "kind": BINDING_POLICIES.kind,
        "metadata": {"name": policy.name, "labels": dict(policy.labels)},
        "spec": {
            "clusterSelectors": [_selector(policy)],
            "downsync": [_clause(policy, group, list(members)) for (_, group), members in groups],
        },
    }
    return Write(BINDING_POLICIES, policy.name, None, body)


def status_return(resource: Resource, clusters: int) -> StatusReturn:
    """How the status of an object in that many WECs returns; over one WEC KubeStellar copies, whatever was asked."""
    if not _returned(resource):
        return "none"
    if clusters == 1:
        return "copy"
    return "aggregate" if resource in _AGGREGATED else "report"


def _returned(resource: Resource) -> bool:
    return is_returned(resource.group, resource.plural)


def _clause(policy: Policy, group: str, members: Sequence[Resource]) -> dict[str, Any]:
    clause: dict[str, Any] = {
        "apiGroup": group,
        "resources": [resource.plural for resource in members],
        "namespaces": [policy.namespace],
        "objectSelectors": [{"matchLabels": {POLICY_LABEL: policy.name}}],
    }
    if _returned(members[0]):
        wanted = "wantSingletonReportedState" if policy.layout == "one-to-one" else "wantMultiWECReportedState"
        clause[wanted] = True
    return clause


def _selector(policy: Policy) -> dict[str, Any]:
    if policy.layout == "one-to-one":
        return {"matchLabels": {NAME_LABEL: policy.clusters[0]}}
    return {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": list(policy.clusters)}]}
