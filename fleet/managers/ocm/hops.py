"""What plain OCM's objects say of an object's way: ManifestWorkReplicaSets, PlacementDecisions and ManifestWorks.

The object travels inside: the user creates a ManifestWorkReplicaSet, in whose template it lies with its op-id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fleet.kube.resources import (
    APPLIED_MANIFEST_WORKS,
    MANIFEST_WORK_REPLICA_SETS,
    MANIFEST_WORKS,
    PLACEMENT_DECISIONS,
)
from fleet.managers.fields import Object, entries, label, meta, number, op_of, text, within
from fleet.managers.manager import Fact, Hop, Told
from fleet.managers.ocm.applied import applied
from fleet.managers.ocm.record import APPLIED, CREATED, DECIDED, DELIVERED, FINALIZED, PACKAGED, REPORTED

SET_LABEL = "work.open-cluster-management.io/manifestworkreplicaset"
PLACEMENT_NAME_LABEL = "work.open-cluster-management.io/placementname"
"""Both on every ManifestWork of a ManifestWorkReplicaSet."""
PLACEMENT_LABEL = "cluster.open-cluster-management.io/placement"
"""On every PlacementDecision."""
_RULES: Mapping[str, Mapping[str, str]] = {
    "Deployment": {
        "ReadyReplicas": "readyReplicas",
        "Replicas": "replicas",
        "AvailableReplicas": "availableReplicas",
    },
    "DaemonSet": {
        "NumberReady": "numberReady",
        "DesiredNumberScheduled": "desiredNumberScheduled",
        "NumberAvailable": "numberAvailable",
    },
    "Job": {"JobComplete": "Complete?", "JobSucceeded": "succeeded"},
    "Pod": {"PodReady": "Ready?", "PodPhase": "phase"},
}
"""Values of the rules `WellKnownStatus` of OCM 1.2 (`pkg/work/spoke/statusfeedback/rules`) by kind: the field that each
is read from, or with `?` the type of the condition. A field that is not there gives no value."""


def created(obj: Object, _cluster: str) -> Told:
    """The set that holds the object in its template."""
    return Told(facts=[Fact(("op", op)) for op in _held(obj)], policy=_placement(obj))


def finalized(obj: Object, _cluster: str) -> Told:
    """Its summary: works that are the current template, and of those the applied and the available ones."""
    summary = within(obj, "status", "summary")
    counts = {key: number(summary, key) for key in ("total", "applied", "available")}
    return Told(facts=[Fact(("op", op), status=counts) for op in _held(obj)], policy=_placement(obj))


def decision(obj: Object, _cluster: str) -> Told | None:
    """WECs that a Placement chose, at most 100 in one object."""
    placement = label(obj, PLACEMENT_LABEL)
    if not placement:
        return None
    return Told(policy=placement, targets=[text(one, "clusterName") for one in entries(obj, "status", "decisions")])


def packaged(obj: Object, _cluster: str) -> Told | None:
    """A ManifestWork in the WEC's namespace."""
    return _work(obj, lambda _ordinal: (True, None))


def applied_condition(obj: Object, _cluster: str) -> Told | None:
    """The same, with the condition Applied at the generation that it has."""
    generation = number(within(obj, "metadata"), "generation")
    done = any(
        text(one, "type") == "Applied"
        and text(one, "status") == "True"
        and number(one, "observedGeneration") == generation
        for one in entries(obj, "status", "conditions")
    )
    return _work(obj, lambda _ordinal: (done, None))


def reported(obj: Object, _cluster: str) -> Told | None:
    """The same, with the feedback on each of its objects as fields of a status."""
    told = {
        number(within(one, "resourceMeta"), "ordinal"): entries(one, "statusFeedback", "values")
        for one in entries(obj, "status", "resourceStatus", "manifests")
    }
    held = entries(obj, "spec", "workload", "manifests")
    return _work(obj, lambda ordinal: (True, _fields(text(held[ordinal], "kind"), told.get(ordinal, ()))))


def _work(obj: Object, says: Callable[[int], tuple[bool, Any]]) -> Told | None:
    """`says` gives for each of its objects, by their order, whether the mark is reached, and the status."""
    if not label(obj, SET_LABEL):
        return None
    wec = meta(obj, "namespace")
    held = entries(obj, "spec", "workload", "manifests")
    facts = [Fact(("op", op), wec, *says(ordinal)) for ordinal, one in enumerate(held) if (op := op_of(one))]
    return Told(facts=facts, gives=[("work", wec, meta(obj, "name"))], policy=label(obj, PLACEMENT_NAME_LABEL))


def _held(obj: Object) -> list[str]:
    found = entries(obj, "spec", "manifestWorkTemplate", "workload", "manifests")
    return [op for held in found if (op := op_of(held))]


def _placement(obj: Object) -> str:
    """The one that it names; empty where it names several."""
    names = [text(one, "name") for one in entries(obj, "spec", "placementRefs")]
    return names[0] if len(names) == 1 else ""


def _fields(kind: str, feedback: Sequence[Object]) -> Mapping[str, Any] | None:
    """Feedback values as the status has them that they were read from; None where there is none."""
    rule = _RULES.get(kind, {})
    values = {text(one, "name"): within(one, "fieldValue") for one in feedback}
    if not values.keys() & rule.keys():
        return None
    fields: dict[str, Any] = {}
    for name, field in rule.items():
        value = values.get(name, {})
        if field.endswith("?"):
            fields["conditions"] = [{"type": field.removesuffix("?"), "status": value.get("string")}]
        else:
            fields[field] = value.get("integer", value.get("string", 0))
    return fields


HOPS = (
    Hop(CREATED, MANIFEST_WORK_REPLICA_SETS, created),
    Hop(FINALIZED, MANIFEST_WORK_REPLICA_SETS, finalized),
    Hop(DECIDED, PLACEMENT_DECISIONS, decision),
    Hop(PACKAGED, MANIFEST_WORKS, packaged),
    Hop(APPLIED, MANIFEST_WORKS, applied_condition),
    Hop(REPORTED, MANIFEST_WORKS, reported),
    Hop(DELIVERED, APPLIED_MANIFEST_WORKS, applied),
)
"""What is watched, each with its row of the table."""
