"""What the readers make of KubeFleet's objects, and marks of a whole way by hand."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.managers.kubefleet import hops
from fleet.managers.manager import Fact, Told
from tests.unit.managers.recorded import recorded

OP, CRP = "x-t000-all-0000", "fx-g00-all"


def told(name: str, obj: dict[str, Any], cluster: str = "kubefleet1") -> Told | None:
    reader = next(hop.read for hop in hops.HOPS if hop.row.mark == name)
    return reader(obj, cluster)


def held(op: str = OP) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "d", "annotations": {"fleet-testbed/op": op}}}


def snapshot(*parts: dict[str, Any], name: str = f"{CRP}-3-snapshot") -> dict[str, Any]:
    labels = {"kubernetes-fleet.io/parent-CRP": CRP, "kubernetes-fleet.io/resource-index": "3"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"selectedResources": [{"kind": "Namespace"}, *parts]},
    }


def binding(state: str) -> dict[str, Any]:
    spec = {"resourceSnapshotName": f"{CRP}-3-snapshot", "targetCluster": "wec001", "state": state}
    return {"metadata": {"labels": {"kubernetes-fleet.io/parent-CRP": CRP}}, "spec": spec}


def test_a_snapshot_gives_its_index_also_as_one_part_of_several() -> None:
    expected = Told(facts=[Fact(("op", OP))], gives=[("index", CRP, "3")], policy=CRP)
    assert told("snapshot", snapshot(held())) == expected
    assert told("snapshot", snapshot(held(), name=f"{CRP}-3-1")) == expected
    assert told("snapshot", snapshot()) is None


@pytest.mark.parametrize(("state", "seen"), [("Bound", True), ("Scheduled", False), ("Unscheduled", False)])
def test_a_binding_is_about_the_index_that_it_follows(state: str, *, seen: bool) -> None:
    assert told("bound", binding(state)) == Told(facts=[Fact(("index", CRP, "3"), "wec001", seen)], policy=CRP)


@pytest.mark.parametrize(
    ("name", "kind", "generation", "seen"),
    [
        ("packaged", "", 0, True),
        ("applied", "Applied", 2, True),
        ("applied", "Applied", 1, False),
        ("applied", "Available", 2, False),
        ("available", "Available", 2, True),
    ],
)
def test_a_work_is_applied_and_available_at_the_generation_that_it_has(
    name: str, kind: str, generation: int, *, seen: bool
) -> None:
    labels = {"kubernetes-fleet.io/parent-CRP": CRP}
    conditions = [{"type": kind, "status": "True", "observedGeneration": generation}]
    work = {
        "metadata": {"name": "w", "namespace": "fleet-member-wec001", "generation": 2, "labels": labels},
        "spec": {"workload": {"manifests": [{"kind": "Namespace"}, held()]}},
        "status": {"conditions": conditions},
    }
    assert told(name, work) == Told(
        facts=[Fact(("op", OP), "wec001", seen)], gives=[("work", "wec001", "w")], policy=CRP
    )
    assert told(name, work | {"metadata": work["metadata"] | {"namespace": "fleet-system"}}) is None


def test_a_placement_counts_the_wecs_that_are_available_with_what_it_observed() -> None:
    def wec(name: str, **conditions: str) -> dict[str, Any]:
        return {"clusterName": name, "conditions": [{"type": k, "status": v} for k, v in conditions.items()]}

    one, two = wec("wec001", Applied="True", Available="True"), wec("wec002", Applied="True", Available="False")
    placement = {
        "metadata": {"name": CRP},
        "status": {
            "observedResourceIndex": "3",
            "placementStatuses": [one, two],
            "conditions": [{"type": "ClusterResourcePlacementAvailable", "status": "False"}],
        },
    }
    assert told("", placement) == Told(policy=CRP, targets=["wec001", "wec002"])
    about = ("index", CRP, "3")
    assert told("finalized", placement) == Told(facts=[Fact(about, seen=False, status={"available": 1})], policy=CRP)
    placement["status"]["conditions"][0]["status"] = "True"
    assert told("finalized", placement) == Told(facts=[Fact(about, seen=True, status={"available": 1})], policy=CRP)


@pytest.mark.parametrize(
    "obj", [{}, {"spec": None}, {"metadata": {"namespace": "fleet-member-a"}, "spec": {"workload": 3}}]
)
def test_readers_take_whatever_there_is(obj: dict[str, Any]) -> None:
    for hop in hops.HOPS:
        hop.read(obj, "kubefleet1")


def test_objects_as_kubefleet_wrote_them() -> None:
    """v0.14.0 with maxUnavailable 100 %, 2 dense WECs, three Deployments per policy."""
    one, many = "f5869868b-g01-wec001", "f5869868b-g00-all"
    ops = [f"5869868b-t001-wec001-000{number}" for number in (2, 1, 0)]
    assert told("snapshot", recorded("kubefleet-clusterresourcesnapshots")) == Told(
        facts=[Fact(("op", op)) for op in ops], gives=[("index", one, "2")], policy=one
    )
    assert told("bound", recorded("kubefleet-clusterresourcebindings")) == Told(
        facts=[Fact(("index", many, "2"), "wec002", True)], policy=many
    )
    work = recorded("kubefleet-works")
    for mark, seen in (("packaged", True), ("applied", True), ("available", False)):
        assert told(mark, work) == Told(
            facts=[Fact(("op", op), "wec001", seen) for op in ops],
            gives=[("work", "wec001", f"{one}-work")],
            policy=one,
        )
    about = ("work", "wec001", f"{one}-work")
    assert told("delivered", recorded("kubefleet-appliedworks"), "wec001") == Told(facts=[Fact(about, "wec001")])
    placement = recorded("kubefleet-clusterresourceplacements")
    assert told("", placement) == Told(policy=many, targets=["wec001", "wec002"])
    assert told("finalized", placement) == Told(
        facts=[Fact(("index", many, "2"), seen=False, status={"available": 0})], policy=many
    )
