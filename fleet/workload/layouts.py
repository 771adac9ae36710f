"""Layouts: which BindingPolicies bring the workload to the chosen WECs.

`one-to-one` makes policies for each WEC and asks for the singleton status; `one-to-many` makes policies for all of them
and asks for the multi-WEC status. Both select by label, API group, resource and namespace, so that a policy can never
pick up anything that the run did not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fleet.kube.resources import DEPLOYMENTS, PODS, Resource
from fleet.model.experiment_file import Layout
from fleet.model.run_names import POLICY_LABEL, RunNames

CLUSTER_LABEL = "name"
"""Label of a ManagedCluster that holds the WEC's name; the `register` role sets it."""

API_VERSION = "control.kubestellar.io/v1alpha1"

RETURNED = frozenset({DEPLOYMENTS, PODS})
"""Kinds whose status is asked for and timed: it tells that something runs. For a Service or a CustomResource that no
controller plays, asking would only add work to the system under test."""


@dataclass(frozen=True)
class BindingPolicy:
    """One BindingPolicy and the WECs that it must resolve to."""

    name: str
    target: str
    """Last part of its name: the WEC in one-to-one, `all` in one-to-many, with a number where there are several."""
    clusters: tuple[str, ...]
    """Names of the WECs, in the order of their names; the Binding's destinations when it is settled."""
    layout: Layout
    resources: tuple[Resource, ...]
    namespace: str
    labels: tuple[tuple[str, str], ...]
    wds: str
    """Where it is, with its objects."""

    def manifest(self) -> dict[str, Any]:
        """The object as it is sent to the WDS."""
        ordered = sorted(self.resources, key=lambda resource: (resource not in RETURNED, resource.group))
        groups = groupby(ordered, key=lambda resource: (resource not in RETURNED, resource.group))
        return {
            "apiVersion": API_VERSION,
            "kind": "BindingPolicy",
            "metadata": {"name": self.name, "labels": dict(self.labels)},
            "spec": {
                "clusterSelectors": [self._selector()],
                "downsync": [self._clause(group, list(members)) for (_, group), members in groups],
            },
        }

    def _clause(self, group: str, members: Sequence[Resource]) -> dict[str, Any]:
        clause: dict[str, Any] = {
            "apiGroup": group,
            "resources": [resource.plural for resource in members],
            "namespaces": [self.namespace],
            "objectSelectors": [{"matchLabels": {POLICY_LABEL: self.name}}],
        }
        if members[0] in RETURNED:
            wanted = "wantSingletonReportedState" if self.layout == "one-to-one" else "wantMultiWECReportedState"
            clause[wanted] = True
        return clause

    def _selector(self) -> dict[str, Any]:
        if self.layout == "one-to-one":
            return {"matchLabels": {CLUSTER_LABEL: self.clusters[0]}}
        return {"matchExpressions": [{"key": CLUSTER_LABEL, "operator": "In", "values": list(self.clusters)}]}


def policies(
    layout: Layout,
    clusters: Sequence[str],
    *,
    resources: Sequence[Resource],
    names: RunNames,
    group: int,
    each: int = 1,
    own_namespaces: bool = False,
    wdses: Sequence[str] = ("wds1",),
) -> tuple[BindingPolicy, ...]:
    """The policies of one group of trials: one layout over one set of WECs, `each` policies per target.

    With `own_namespaces` each policy has a namespace of its own, else all share the run's. The policies go to the
    `wdses` in turn.
    """
    chosen = tuple(sorted(clusters))
    members = [(name, (name,)) for name in chosen] if layout == "one-to-one" else [("all", chosen)]
    targets = [
        (target if each == 1 else f"{target}-p{number:03d}", wecs) for target, wecs in members for number in range(each)
    ]
    return tuple(
        BindingPolicy(
            name=names.policy(group, target),
            target=target,
            clusters=wecs,
            layout=layout,
            resources=tuple(dict.fromkeys(resources)),
            namespace=names.own_namespace(group, number) if own_namespaces else names.namespace,
            labels=tuple(names.labels().items()),
            wds=wdses[number % len(wdses)],
        )
        for number, (target, wecs) in enumerate(targets)
    )
