"""What KubeFleet's objects say of an object's way: snapshots of its namespace, bindings to them, Works and placements.

A placement takes a namespace with all that is in it. Each change makes a new snapshot of the whole, which bindings take
up one wave of WECs after another; a Work holds everything for one WEC.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.kube.resources import (
    APPLIED_WORKS,
    CLUSTER_RESOURCE_BINDINGS,
    CLUSTER_RESOURCE_PLACEMENTS,
    CLUSTER_RESOURCE_SNAPSHOTS,
    FLEET_WORKS,
)
from fleet.managers.fields import Object, entries, label, meta, number, op_of, text, within
from fleet.managers.kubefleet import names
from fleet.managers.kubefleet.record import (
    APPLIED,
    AVAILABLE,
    BOUND,
    DELIVERED,
    FINALIZED,
    PACKAGED,
    POLICY,
    SNAPSHOT,
)
from fleet.managers.manager import Fact, Hop, Told

PLACEMENT_LABEL = "kubernetes-fleet.io/parent-CRP"
INDEX_LABEL = "kubernetes-fleet.io/resource-index"


def policy(obj: Object, _cluster: str) -> Told:
    """WECs in which it has applied what it takes: its namespace, before there is anything in that."""
    found = [
        text(one, "clusterName")
        for one in entries(obj, "status", "placementStatuses")
        if _holds(entries(one, "conditions"), "Applied")
    ]
    return Told(policy=meta(obj, "name"), targets=found)


def snapshot(obj: Object, _cluster: str) -> Told | None:
    """A snapshot that holds the object; bindings and the placement know it by its index. A large one has several parts
    of that index."""
    ops = [op for held in entries(obj, "spec", "selectedResources") if (op := op_of(held))]
    if not ops:
        return None
    placement = label(obj, PLACEMENT_LABEL)
    gives = [("index", placement, label(obj, INDEX_LABEL))]
    return Told(facts=[Fact(("op", op)) for op in ops], gives=gives, policy=placement)


def bound(obj: Object, _cluster: str) -> Told:
    """The WEC is to have that snapshot from now on."""
    spec = within(obj, "spec")
    placement, wec = label(obj, PLACEMENT_LABEL), text(spec, "targetCluster")
    # It names the first part, `<placement>-<index>-snapshot`.
    index = text(spec, "resourceSnapshotName").removeprefix(f"{placement}-").removesuffix("-snapshot")
    return Told(facts=[Fact(("index", placement, index), wec, text(spec, "state") == "Bound")], policy=placement)


def packaged(obj: Object, _cluster: str) -> Told | None:
    """A Work in the namespace of a WEC."""
    return _work(obj, seen=True)


def applied(obj: Object, _cluster: str) -> Told | None:
    """The same, with the condition Applied at the generation that it has."""
    return _work(obj, seen=_at_generation(obj, "Applied"))


def available(obj: Object, _cluster: str) -> Told | None:
    """The same, with the condition Available: of all that it holds."""
    return _work(obj, seen=_at_generation(obj, "Available"))


def delivered(obj: Object, cluster: str) -> Told:
    """The agent's own record of a Work; names are used again when one is made again."""
    return Told(facts=[Fact(("work", cluster, text(within(obj, "spec"), "workName")), cluster)])


def finalized(obj: Object, _cluster: str) -> Told:
    """How many WECs are available with the snapshot that the placement has observed."""
    status = within(obj, "status")
    wecs = entries(obj, "status", "placementStatuses")
    ready = sum(_holds(entries(one, "conditions"), "Available") for one in wecs)
    whole = _holds(entries(obj, "status", "conditions"), "ClusterResourcePlacementAvailable")
    about = ("index", meta(obj, "name"), text(status, "observedResourceIndex"))
    return Told(facts=[Fact(about, seen=whole, status={"available": ready})], policy=meta(obj, "name"))


def _work(obj: Object, *, seen: bool) -> Told | None:
    wec = names.wec_of(meta(obj, "namespace"))
    ops = [op for held in entries(obj, "spec", "workload", "manifests") if (op := op_of(held))]
    if not wec or not ops:
        return None
    facts = [Fact(("op", op), wec, seen) for op in ops]
    return Told(facts=facts, gives=[("work", wec, meta(obj, "name"))], policy=label(obj, PLACEMENT_LABEL))


def _at_generation(obj: Object, kind: str) -> bool:
    generation = number(within(obj, "metadata"), "generation")
    found = entries(obj, "status", "conditions")
    return _holds([one for one in found if number(one, "observedGeneration") == generation], kind)


def _holds(conditions: Sequence[Object], kind: str) -> bool:
    return any(text(one, "type") == kind and text(one, "status") == "True" for one in conditions)


HOPS = (
    Hop(POLICY, CLUSTER_RESOURCE_PLACEMENTS, policy),
    Hop(FINALIZED, CLUSTER_RESOURCE_PLACEMENTS, finalized),
    Hop(SNAPSHOT, CLUSTER_RESOURCE_SNAPSHOTS, snapshot),
    Hop(BOUND, CLUSTER_RESOURCE_BINDINGS, bound),
    Hop(PACKAGED, FLEET_WORKS, packaged),
    Hop(APPLIED, FLEET_WORKS, applied),
    Hop(AVAILABLE, FLEET_WORKS, available),
    Hop(DELIVERED, APPLIED_WORKS, delivered),
)
"""What is watched, each with its row of the table."""
