"""Layouts: which BindingPolicies bring the workload to the chosen WECs.

`one-to-one` makes one policy per WEC and asks for the singleton status; `one-to-many` makes one policy for all of them
and asks for the multi-WEC status. Both select by label, API group, resource and namespace, so that a policy can never
pick up anything that the run did not make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleet.spec.experiment_file import Layout, WorkloadKind
from fleet.workload.names import POLICY_LABEL, RunNames

CLUSTER_LABEL = "name"
"""Label of a ManagedCluster that holds the WEC's name; the `register` role sets it."""

API_VERSION = "control.kubestellar.io/v1alpha1"

_API_GROUP: dict[WorkloadKind, str] = {"deployment": "apps", "pod": "", "configmap": ""}
_RESOURCE: dict[WorkloadKind, str] = {"deployment": "deployments", "pod": "pods", "configmap": "configmaps"}


@dataclass(frozen=True)
class BindingPolicy:
    """One BindingPolicy and the WECs that it must resolve to."""

    name: str
    clusters: tuple[str, ...]
    """Names of the WECs, in the order of their names; the Binding's destinations when it is settled."""
    layout: Layout
    kind: WorkloadKind
    namespace: str
    labels: tuple[tuple[str, str], ...]

    def manifest(self) -> dict[str, Any]:
        """The object as it is sent to the WDS."""
        clause: dict[str, Any] = {
            "apiGroup": _API_GROUP[self.kind],
            "resources": [_RESOURCE[self.kind]],
            "namespaces": [self.namespace],
            "objectSelectors": [{"matchLabels": {POLICY_LABEL: self.name}}],
        }
        # ConfigMaps have no status: asking for one would only add work to the system under test.
        if self.kind != "configmap":
            wanted = "wantSingletonReportedState" if self.layout == "one-to-one" else "wantMultiWECReportedState"
            clause[wanted] = True
        return {
            "apiVersion": API_VERSION,
            "kind": "BindingPolicy",
            "metadata": {"name": self.name, "labels": dict(self.labels)},
            "spec": {"clusterSelectors": [self._selector()], "downsync": [clause]},
        }

    def _selector(self) -> dict[str, Any]:
        if self.layout == "one-to-one":
            return {"matchLabels": {CLUSTER_LABEL: self.clusters[0]}}
        return {"matchExpressions": [{"key": CLUSTER_LABEL, "operator": "In", "values": list(self.clusters)}]}


def policies(
    layout: Layout, clusters: tuple[str, ...], *, kind: WorkloadKind, names: RunNames, group: int
) -> tuple[BindingPolicy, ...]:
    """The policies of one group of trials (one layout over one set of WECs)."""
    chosen = tuple(sorted(clusters))
    targets = [(name, (name,)) for name in chosen] if layout == "one-to-one" else [("all", chosen)]
    return tuple(
        BindingPolicy(
            name=names.policy(group, target),
            clusters=members,
            layout=layout,
            kind=kind,
            namespace=names.namespace,
            labels=tuple(names.labels().items()),
        )
        for target, members in targets
    )
