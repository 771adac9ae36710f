"""`lifecycle`: its file, and when an object counts as changed or gone.

Whole runs: tests/unit/experiment/test_managers.py.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fleet.experiments.lifecycle.marks import REMOVED, UPDATED, Follower
from fleet.experiments.lifecycle.spec import Lifecycle
from fleet.kube.resources import DEPLOYMENTS
from fleet.managers.manager import Write
from fleet.results.events import MarkSeen, ObjectRef, WorkloadSeen
from fleet.workload.objects import WorkloadObject

REF = ObjectRef("apps", "deployments", "fleet-run", "a")


def item(*clusters: str) -> WorkloadObject:
    write = Write(DEPLOYMENTS, "a", "fleet-run", {})
    return WorkloadObject("op", "t000", "p", DEPLOYMENTS, REF, clusters, "none", write, "hub1")


def seen(cluster: str, ns: int, *, replicas: int | None = None, kind: str = "MODIFIED") -> WorkloadSeen:
    return WorkloadSeen(
        ns=ns, wall=ns, cluster=cluster, type=kind, uid="u", rv="1", ref=REF, op="op", replicas=replicas, gap=ns == 7
    )


@pytest.mark.parametrize("workload", [{"kind": "configmap"}, {"kind": "pod"}, {"profile": "cluster-density"}])
def test_only_deployments_have_replicas(workload: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="only a deployment has"):
        Lifecycle.model_validate({"experiment": "lifecycle", "workload": workload})


def test_the_update_is_one_replica_more() -> None:
    spec = Lifecycle.model_validate({"experiment": "lifecycle", "workload": {"pods": 3}})
    assert spec.updated == 4


def test_an_update_is_the_first_line_with_the_new_replicas() -> None:
    made: list[MarkSeen] = []
    follower = Follower("t000", UPDATED, 2, made.append)
    follower.expect([item("wec001", "wec002")])
    for line in (
        seen("wec001", 1, replicas=1),
        seen("hub1", 2, replicas=2),
        seen("wec001", 3, replicas=2),
        seen("wec001", 4, replicas=2),
        seen("wec002", 5, replicas=2, kind="DELETED"),
    ):
        follower.feed(line)
    assert [(mark.cluster, mark.ns, mark.mark, mark.resource) for mark in made] == [
        ("wec001", 3, UPDATED, "deployments.apps")
    ]
    assert follower.left == [("wec002", REF)]
    follower.feed(seen("wec002", 7, replicas=2))
    assert (follower.left, follower.total, made[-1].gap) == ([], 2, True)


def test_a_removal_is_the_end_and_nothing_before() -> None:
    made: list[MarkSeen] = []
    follower = Follower("t000", REMOVED, 2, made.append)
    follower.expect([item("wec001")])
    follower.feed(seen("wec001", 1, replicas=2))
    assert follower.left == [("wec001", REF)]
    follower.feed(seen("wec001", 2, replicas=2, kind="DELETED"))
    assert [(mark.ns, mark.type, mark.mark) for mark in made] == [(2, "DELETED", REMOVED)]
