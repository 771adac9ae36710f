"""Workload objects: manifests of a Deployment, a Pod or a ConfigMap, and how the status of each comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.results.events import ObjectRef
from fleet.spec.experiment_file import Workload, WorkloadKind
from fleet.workload.layouts import BindingPolicy
from fleet.workload.names import OP_ANNOTATION, RunNames

StatusReturn = Literal["copy", "aggregate", "report", "none"]

IMAGE = "registry.invalid/fake:1"
"""Never pulled: kwok plays the pods. The `.invalid` domain makes sure of it."""

# KubeStellar 0.30 aggregates these of our kinds over several WECs; any other kind keeps its first reporter's status.
_AGGREGATED: frozenset[WorkloadKind] = frozenset({"deployment"})


@dataclass(frozen=True)
class WorkloadObject:
    """One object of a trial, before it is sent."""

    op: str
    """Op-id, unique in the run."""
    trial: str
    policy: str
    kind: WorkloadKind
    ref: ObjectRef
    clusters: tuple[str, ...]
    status: StatusReturn
    pods: int
    labels: tuple[tuple[str, str], ...]

    @property
    def resource(self) -> Resource:
        """Where it is sent."""
        return RESOURCES[self.kind]

    def manifest(self) -> dict[str, Any]:
        """The object as it is sent to the WDS."""
        return _MANIFESTS[self.kind](self)

    def metadata(self) -> dict[str, Any]:
        """Its metadata: name, namespace, the run's labels and the op-id."""
        return {
            "name": self.ref.name,
            "namespace": self.ref.namespace,
            "labels": dict(self.labels),
            "annotations": {OP_ANNOTATION: self.op},
        }


def _pod_spec(item: WorkloadObject) -> dict[str, Any]:
    # No token: the fake pod calls nothing, and the volume would only make the ManifestWork larger.
    resources = {"requests": {"cpu": "1m", "memory": "1Mi"}}
    return {
        "automountServiceAccountToken": False,
        "containers": [{"name": item.kind, "image": IMAGE, "resources": resources}],
    }


def _deployment(item: WorkloadObject) -> dict[str, Any]:
    # The template carries no label of the run: ReplicaSets and pods stay out of the watches that select by it.
    labels = {"app": item.ref.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": item.metadata(),
        "spec": {
            "replicas": item.pods,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec(item)},
        },
    }


def _pod(item: WorkloadObject) -> dict[str, Any]:
    # The WDS has no kubelet: a grace period would keep the deleted pod there for ever.
    spec = _pod_spec(item) | {"terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": item.metadata(), "spec": spec}


def _configmap(item: WorkloadObject) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": item.metadata(), "data": {"op": item.op}}


_MANIFESTS: dict[WorkloadKind, Callable[[WorkloadObject], dict[str, Any]]] = {
    "deployment": _deployment,
    "pod": _pod,
    "configmap": _configmap,
}
RESOURCES: dict[WorkloadKind, Resource] = {
    "deployment": resources.DEPLOYMENTS,
    "pod": resources.PODS,
    "configmap": resources.CONFIGMAPS,
}


def status_return(kind: WorkloadKind, clusters: int) -> StatusReturn:
    """How the status of an object in that many WECs returns; over one WEC KubeStellar copies, whatever was asked."""
    if kind == "configmap":
        return "none"
    if clusters == 1:
        return "copy"
    return "aggregate" if kind in _AGGREGATED else "report"


def objects(policy: BindingPolicy, workload: Workload, *, names: RunNames, trial: str) -> tuple[WorkloadObject, ...]:
    """The objects of one policy in one trial. Names differ from trial to trial: no uid is ever mistaken for another."""
    resource = RESOURCES[workload.kind]
    target = policy.name.split("-", 2)[2]
    made = []
    for number in range(workload.objects):
        name = f"{trial}-{target}-{number:04d}"
        made.append(
            WorkloadObject(
                op=f"{names.short}-{name}",
                trial=trial,
                policy=policy.name,
                kind=workload.kind,
                ref=ObjectRef(group=resource.group, resource=resource.plural, namespace=names.namespace, name=name),
                clusters=policy.clusters,
                status=status_return(workload.kind, len(policy.clusters)),
                pods=workload.pods,
                labels=tuple(names.labels(trial=trial, policy=policy.name).items()),
            )
        )
    return tuple(made)
