"""The predicate of each kind, and when two statuses are the same."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.analysis.final import digest, is_final
from fleet.results.events import ObjectRef, WorkloadSeen


def seen(group: str, resource: str, status: Any, *, generation: int = 1, replicas: int | None = 1) -> WorkloadSeen:
    return WorkloadSeen(
        ns=0, wall=0, cluster="wec001", type="MODIFIED", uid="u", rv="1", ref=ObjectRef(group, resource, "ns", "n"),
        op="op", generation=generation, status=status, replicas=replicas,
    )  # fmt: skip


READY = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("change", "final"),
    [
        ({}, True),
        ({"observedGeneration": 0}, False),
        ({"availableReplicas": 1}, False),
        ({"readyReplicas": None}, False),
        ({"replicas": 3, "unavailableReplicas": 1}, False),
        ({"unavailableReplicas": 1}, False),
    ],
)
def test_a_deployment_is_final_when_observed_and_all_available(change: dict[str, Any], final: bool) -> None:
    assert is_final(seen("apps", "deployments", {**READY, **change}, replicas=2)) is final


def test_a_deployment_of_no_replicas_is_final_once_observed() -> None:
    assert is_final(seen("apps", "deployments", {"observedGeneration": 1}, replicas=0))
    assert not is_final(seen("apps", "deployments", {"observedGeneration": 1}, replicas=0, generation=2))


def test_a_pod_is_final_when_running_and_ready_or_completed() -> None:
    ready = {"type": "Ready", "status": "True"}
    assert is_final(seen("", "pods", {"phase": "Running", "conditions": [ready]}))
    assert not is_final(seen("", "pods", {"phase": "Running", "conditions": [{**ready, "status": "False"}]}))
    assert is_final(seen("", "pods", {"phase": "Succeeded", "conditions": [{**ready, "status": "False"}]}))
    assert not is_final(seen("", "pods", {"phase": "Failed", "conditions": [ready]}))
    assert not is_final(seen("", "pods", {"phase": "Running", "conditions": None}))


def test_a_daemon_set_and_a_replica_set() -> None:
    daemon = {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 3}
    assert not is_final(seen("apps", "daemonsets", daemon))
    assert is_final(seen("apps", "daemonsets", {**daemon, "numberAvailable": 3}))
    replica = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1}
    assert not is_final(seen("apps", "replicasets", replica))
    assert is_final(seen("apps", "replicasets", {**replica, "availableReplicas": 1}))


@pytest.mark.parametrize("status", [None, {}, [], "Running"])
def test_what_is_no_status_is_not_final(status: Any) -> None:
    assert not is_final(seen("example.org", "things", status))


def test_a_kind_without_a_predicate_is_final_with_any_status() -> None:
    assert is_final(seen("example.org", "things", {"phase": "x"}))


def test_equal_means_deep_equal() -> None:
    assert digest({"a": 1, "b": [1, {"c": 2}]}) == digest({"b": [1, {"c": 2}], "a": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})
    assert digest({"a": None}) != digest({})
    assert digest({"a": 1}) != digest({"a": "1"})
