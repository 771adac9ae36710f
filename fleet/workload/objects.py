"""Workload objects: the contents of every policy with names, labels and op-ids, and how each status comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.model.run_names import OP_ANNOTATION, RunNames
from fleet.results.events import ObjectRef
from fleet.workload.content import Body, Content, Place
from fleet.workload.layouts import RETURNED, BindingPolicy

StatusReturn = Literal["copy", "aggregate", "report", "none"]

# KubeStellar 0.30 aggregates these of our kinds over several WECs; any other kind keeps its first reporter's status.
_AGGREGATED = frozenset({resources.DEPLOYMENTS})


@dataclass(frozen=True)
class WorkloadObject:
    """One object of a trial, before it is sent."""

    op: str
    """Op-id, unique in the run."""
    trial: str
    policy: str
    resource: Resource
    ref: ObjectRef
    clusters: tuple[str, ...]
    status: StatusReturn
    body: Mapping[str, Any]
    """The whole manifest."""
    wds: str
    """Where it is sent to: its policy's."""

    @property
    def kind(self) -> str:
        """`deployment`, `secret`: as samples show it."""
        return self.resource.kind.lower()

    def manifest(self) -> Mapping[str, Any]:
        """The object as it is sent to the WDS."""
        return self.body


def status_return(resource: Resource, clusters: int) -> StatusReturn:
    """How the status of an object in that many WECs returns; over one WEC KubeStellar copies, whatever was asked."""
    if resource not in RETURNED:
        return "none"
    if clusters == 1:
        return "copy"
    return "aggregate" if resource in _AGGREGATED else "report"


def objects(
    policy: BindingPolicy, content: Content, count: int, *, names: RunNames, trial: str
) -> tuple[WorkloadObject, ...]:
    """`count` copies of the content for one policy in one trial.

    Names differ from trial to trial: no uid is ever mistaken for another.
    """
    labels = names.labels(trial=trial, policy=policy.name)
    made = []
    for number in range(count):
        name = f"{trial}-{policy.target}-{number:04d}"
        place = Place(name=name, namespace=policy.namespace, op=f"{names.short}-{name}", copy=number)
        for body in content.bodies(place):
            # In one copy of a profile, objects of different kinds may share a name, the copy's own one included.
            op = place.op if content.size == 1 else f"{names.short}-{body.resource}-{body.name}"
            made.append(_object(policy, body, labels, op=op, trial=trial))
    return tuple(made)


def _object(policy: BindingPolicy, body: Body, labels: Mapping[str, str], *, op: str, trial: str) -> WorkloadObject:
    own = body.manifest.get("metadata") or {}
    metadata = {
        "name": body.name,
        "namespace": policy.namespace,
        "labels": {**(own.get("labels") or {}), **labels},
        "annotations": {**(own.get("annotations") or {}), OP_ANNOTATION: op},
    }
    rest = {key: value for key, value in body.manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    resource = body.resource
    return WorkloadObject(
        op=op,
        trial=trial,
        policy=policy.name,
        resource=resource,
        ref=ObjectRef(group=resource.group, resource=resource.plural, namespace=policy.namespace, name=body.name),
        clusters=policy.clusters,
        status=status_return(resource, len(policy.clusters)),
        body={"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **rest},
        wds=policy.wds,
    )
