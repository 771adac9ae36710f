"""What the readers make of Karmada's objects as it wrote them (v1.16.0, pull, 2 dense WECs)."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.analysis.aggregate import aggregate, normal_digest, part
from fleet.analysis.final import covers
from fleet.managers.karmada import hops
from fleet.managers.karmada.record import RECORD
from fleet.managers.manager import Fact, Told
from tests.unit.managers.recorded import recorded

OP = "62e77b22-t000-all-0000"
POLICY = "f62e77b22-g00-all"
UID = ("uid", "c2d4b5c9-8777-47e9-8d3e-5894a4cea57e")
FIELDS = {"availableReplicas": 1, "observedGeneration": 1, "readyReplicas": 1, "replicas": 1, "updatedReplicas": 1}
FINAL = FIELDS | {"conditions": [{"type": "Available", "status": "True"}]}


def told(name: str, obj: dict[str, Any]) -> Told | None:
    reader = next(hop.read for hop in hops.HOPS if hop.row.mark == name)
    return reader(obj, "karmada1")


def test_a_policy_names_its_wecs_once_the_webhook_gave_it_an_id() -> None:
    policy = recorded("karmada-propagationpolicies")
    assert told("", policy) == Told(policy=POLICY, targets=["wec001", "wec002"])
    del policy["metadata"]["labels"]["propagationpolicy.karmada.io/permanent-id"]
    assert told("", policy) is None


def test_a_binding_is_about_the_uid_of_its_object_and_each_wec_that_was_chosen() -> None:
    binding = recorded("karmada-resourcebindings")
    assert told("bound", binding) == Told(facts=[Fact(UID)], policy=POLICY)
    assert told("scheduled", binding) == Told(facts=[Fact(UID, "wec001"), Fact(UID, "wec002")], policy=POLICY)
    del binding["spec"]["clusters"]
    assert told("scheduled", binding) == Told(facts=[], policy=POLICY)


def test_a_work_is_about_the_op_id_that_it_holds_in_the_wec_of_its_namespace() -> None:
    work = recorded("karmada-works")
    assert told("packaged", work) == Told(facts=[Fact(("op", OP), "wec001", True, None)])
    assert told("applied", work) == Told(facts=[Fact(("op", OP), "wec001", True, None)])
    work["status"]["conditions"][1]["status"] = "False"
    assert told("applied", work) == Told(facts=[Fact(("op", OP), "wec001", False, None)])


def test_a_reported_status_is_compared_without_what_karmada_adds() -> None:
    work = recorded("karmada-works")
    assert told("reported", work) == Told(facts=[Fact(("op", OP), "wec001", True, FIELDS)])
    assert covers(FINAL, FIELDS)
    assert not covers(FINAL | {"readyReplicas": 0}, FIELDS)
    del work["status"]["manifestStatuses"]
    assert told("reported", work) == Told(facts=[Fact(("op", OP), "wec001", True, None)])


@pytest.mark.parametrize("mark", ["packaged", "applied", "reported"])
def test_other_works_say_nothing(mark: str) -> None:
    work = recorded("karmada-works")
    assert told(mark, work | {"metadata": work["metadata"] | {"namespace": "elsewhere"}}) is None
    work["spec"]["workload"]["manifests"][0]["metadata"]["annotations"] = {}
    assert told(mark, work) is None


@pytest.mark.parametrize(
    "obj", [{}, {"spec": None}, {"metadata": {"namespace": "karmada-es-a"}, "spec": {"workload": 3}}]
)
def test_readers_take_whatever_there_is(obj: dict[str, Any]) -> None:
    for hop in hops.HOPS:
        hop.read(obj, "karmada1")


def test_the_hub_shows_the_sum_and_a_generation_of_its_own() -> None:
    assert RECORD.status is not None
    (rule,) = RECORD.status.aggregations
    expected = aggregate(rule, [part(rule, FINAL), part(rule, FINAL)])
    assert expected == {
        "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "unavailableReplicas": 0,
    }  # fmt: skip
    shown = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    assert normal_digest(shown, rule.own) == normal_digest(expected)
    assert normal_digest(shown | {"readyReplicas": 1}, rule.own) != normal_digest(expected)
    assert normal_digest(shown) != normal_digest(expected)
