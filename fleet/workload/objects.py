"""Workload objects: the contents of every policy with names, labels and op-ids, wrapped as the manager wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.kube.resources import Resource
from fleet.managers.manager import Manager, Policy, Write
from fleet.model.run_names import OP_ANNOTATION, RunNames
from fleet.results.events import ObjectRef
from fleet.workload.content import Body, Content, Place


@dataclass(frozen=True)
class WorkloadObject:
    """One object of a trial, before it is sent."""

    op: str
    """Op-id, unique in the run."""
    trial: str
    policy: str
    resource: Resource
    ref: ObjectRef
    """The object as a WEC gets it."""
    clusters: tuple[str, ...]
    status: str
    """How its status comes back: `copy`, `aggregate`, `report` or `none`."""
    write: Write
    """What is sent to the source: the object, or what the manager wraps it in."""
    source: str
    """Where it is sent to: its policy's."""

    @property
    def kind(self) -> str:
        """`deployment`, `secret`: as samples show it."""
        return self.resource.kind.lower()


def objects(
    policy: Policy, content: Content, count: int, *, manager: Manager, names: RunNames, trial: str
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
            made.append(_object(policy, body, labels, manager=manager, op=op, trial=trial))
    return tuple(made)


def _object(
    policy: Policy, body: Body, labels: Mapping[str, str], *, manager: Manager, op: str, trial: str
) -> WorkloadObject:
    own = body.manifest.get("metadata") or {}
    metadata = {
        "name": body.name,
        "namespace": policy.namespace,
        "labels": {**(own.get("labels") or {}), **labels},
        "annotations": {**(own.get("annotations") or {}), OP_ANNOTATION: op},
    }
    rest = {key: value for key, value in body.manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    resource = body.resource
    manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **rest}
    return WorkloadObject(
        op=op,
        trial=trial,
        policy=policy.name,
        resource=resource,
        ref=ObjectRef(group=resource.group, resource=resource.plural, namespace=policy.namespace, name=body.name),
        clusters=policy.clusters,
        status=manager.status_return(resource, len(policy.clusters)),
        write=manager.wrap(policy, Write(resource, body.name, policy.namespace, manifest)),
        source=policy.source,
    )
