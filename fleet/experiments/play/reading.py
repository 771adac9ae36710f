"""Marks of the objects that the player made: ready, and for each of its changes when that came and when it was done."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.experiment.watches import pod_marks
from fleet.kube.resources import PODS, Resource
from fleet.model import kinds
from fleet.model.run_names import ACTION_ANNOTATION
from fleet.observe.marks import Mark, Object

READY = "ready"
"""Its status is final: a Deployment has all replicas, a pod runs and is ready, other kinds at once."""


def seen(action: str) -> str:
    """Mark of a version that carries this change."""
    return f"seen/{action}"


def done(action: str) -> str:
    """Mark of a final status at or after this change."""
    return f"done/{action}"


def marks(resource: Resource, item: Object) -> Iterator[Mark]:
    """The marks that this version of an object has reached."""
    if resource == PODS:
        yield from pod_marks(item)
    final = is_final(resource, item)
    if final:
        yield READY
    action = (item["metadata"].get("annotations") or {}).get(ACTION_ANNOTATION)
    if action is not None:
        yield seen(action)
        if final:
            yield done(action)


def is_final(resource: Resource, item: Object) -> bool:
    """Nothing more is to come; at once of a kind without a status, or that the table of kinds does not know."""
    kind = kinds.of(resource.group, resource.plural)
    if kind is None or kind.data:
        return True
    spec, meta = item.get("spec") or {}, item["metadata"]
    shown = kinds.Shown(item.get("status") or {}, int(meta.get("generation") or 0), spec.get("replicas"))
    return kinds.is_final(resource.group, resource.plural, shown)
