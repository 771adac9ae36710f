"""Plain OCM's objects, in the shape that its programs write them, through reader and join: marks by hand."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.analysis.final import covers
from fleet.analysis.join import Join
from fleet.analysis.samples import Sample
from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.managers.manager import Hop
from fleet.managers.ocm.hops import HOPS, decision, reported
from fleet.managers.ocm.record import RECORD
from fleet.observe.extract import Extractor, Receipt
from fleet.results.events import HopSeen, Line, ObjectRef, Planned, Sent, TrialPlan

MS = 1_000_000
NS, POLICY, OP = "fleet-run-x", "fx-g00-all", "x-t000-all-0000"
REF = ObjectRef("apps", "deployments", NS, "d")
FINAL = {
    "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
    "conditions": [{"type": "Available", "status": "True"}],
}  # fmt: skip


def meta(name: str, uid: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    spaced = {} if namespace is None else {"namespace": namespace}
    return {"name": name, "uid": uid, "resourceVersion": "1", "generation": 1, **spaced, **fields}


def held() -> dict[str, Any]:
    """The object as it travels."""
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d", "namespace": NS, "annotations": {"fleet-testbed/op": OP}}, "spec": {"replicas": 1},
    }  # fmt: skip


def replica_set(**summary: int) -> dict[str, Any]:
    return {
        "metadata": meta("d", "set", NS),
        "spec": {
            "placementRefs": [{"name": POLICY}],
            "manifestWorkTemplate": {"workload": {"manifests": [held()]}},
        },
        "status": {"summary": summary},
    }


def work(wec: str, *, applied: bool = False, policy: str = POLICY, **values: int) -> dict[str, Any]:
    labels = {
        "work.open-cluster-management.io/manifestworkreplicaset": f"{NS}.d",
        "work.open-cluster-management.io/placementname": policy,
    }
    feedback = [{"name": name, "fieldValue": {"type": "Integer", "integer": v}} for name, v in values.items()]
    manifest = {"resourceMeta": {"ordinal": 0, "name": "d"}, "statusFeedback": {"values": feedback}}
    condition = {"type": "Applied", "status": "True" if applied else "False", "observedGeneration": 1}
    return {
        "metadata": meta("d", f"work-{wec}", wec, labels=labels),
        "spec": {"workload": {"manifests": [held()]}},
        "status": {"conditions": [condition], "resourceStatus": {"manifests": [manifest] if values else []}},
    }


def copy(wec: str, status: dict[str, Any] | None = None) -> dict[str, Any]:
    own = meta("d", f"obj-{wec}", NS, annotations={"fleet-testbed/op": OP}, ownerReferences=[{"uid": f"amw-{wec}"}])
    return {"metadata": own, "spec": {"replicas": 1}} | ({"status": status} if status else {})


def amw(wec: str) -> dict[str, Any]:
    return {"metadata": meta("hash-d", f"amw-{wec}"), "spec": {"manifestWorkName": "d"}}


class Fleet:
    """Feeds raw objects, each at its moment in milliseconds, and keeps the lines."""

    def __init__(self, *wecs: str) -> None:
        read: dict[tuple[str, Resource], list[Hop]] = {}
        for hop in HOPS:
            for cluster in wecs if hop.row.space == "wec" else ("hub1",):
                read.setdefault((cluster, hop.resource), []).append(hop)
        self.extract = Extractor(read)
        plan = {"ns": 0, "wall": 0, "trial": "t000"}
        self.lines: list[Line] = [
            TrialPlan(**plan, layout="one-to-many", wecs=len(wecs), repeat=0, clusters=list(wecs), kind="deployment"),
            Planned(**plan, op=OP, policy=POLICY, ref=REF, clusters=list(wecs), status="report", source="hub1"),
            Sent(ns=5 * MS, wall=0, op=OP, scheduled_ns=MS, sent_ns=MS, code=201, uid="set", rv="1"),
        ]

    def see(self, ms: int, cluster: str, resource: Resource, obj: dict[str, Any], kind: str = "ADDED") -> None:
        self.lines += self.extract.lines(resource, Receipt(cluster, kind, ms * MS, 0), obj)

    def join(self) -> Join:
        join = Join(RECORD, source="hub1")
        for line in self.lines:
            join.feed(line)
        return join


def whole(*wecs: str) -> Fleet:
    """One object to those WECs; each WEC is 100 ms behind the one before it."""
    fleet = Fleet(*wecs)
    fleet.see(10, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set())
    for number, wec in enumerate(wecs):
        at = 100 * number
        fleet.see(100 + at, "hub1", resources.MANIFEST_WORKS, work(wec))
        fleet.see(150 + at, wec, resources.APPLIED_MANIFEST_WORKS, amw(wec))
        fleet.see(160 + at, wec, resources.DEPLOYMENTS, copy(wec))
        fleet.see(200 + at, "hub1", resources.MANIFEST_WORKS, work(wec, applied=True))
        fleet.see(700 + at, wec, resources.DEPLOYMENTS, copy(wec, FINAL))
    return fleet


VALUES = {"ReadyReplicas": 1, "Replicas": 1, "AvailableReplicas": 1}


def one(samples: list[Sample], stage: str, cluster: str = "") -> float | None:
    (found,) = [s for s in samples if s.stage == stage and s.cluster == cluster]
    return found.seconds


def test_every_mark_by_hand() -> None:
    fleet = whole("wec1", "wec2")
    works, sets = resources.MANIFEST_WORKS, resources.MANIFEST_WORK_REPLICA_SETS
    fleet.see(900, "hub1", sets, replica_set(total=2, applied=2, available=1))
    fleet.see(3000, "hub1", works, work("wec1", applied=True, **VALUES))
    fleet.see(4000, "hub1", works, work("wec2", applied=True, Replicas=1))  # not ready yet, says the hub
    fleet.see(5000, "hub1", works, work("wec2", applied=True, **VALUES))
    fleet.see(6000, "hub1", sets, replica_set(total=2, applied=2, available=2))
    join = fleet.join()
    assert join.progress("t000").complete
    samples = join.samples()
    assert one(samples, "packaging", "wec2") == pytest.approx(0.190)
    assert one(samples, "delivery", "wec1") == pytest.approx(0.050)
    assert one(samples, "activation", "wec1") == pytest.approx(0.010)
    assert one(samples, "acknowledgement", "wec2") == pytest.approx(0.040)
    assert one(samples, "downsync", "wec2") == pytest.approx(0.250)
    assert one(samples, "workload", "wec1") == pytest.approx(0.540)
    assert one(samples, "report", "wec2") == pytest.approx(4.200)
    assert one(samples, "finalization") == pytest.approx(1.000)
    assert one(samples, "e2e") == pytest.approx(5.990)
    assert not [s for s in samples if s.flags]
    assert {s.stage for s in samples} <= set(join.table.stages)


def test_a_summary_that_was_complete_before_the_last_feedback_counts_from_that() -> None:
    fleet = whole("wec1")
    fleet.see(900, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set(total=1, applied=1, available=1))
    assert not fleet.join().progress("t000").complete
    fleet.see(5000, "hub1", resources.MANIFEST_WORKS, work("wec1", applied=True, **VALUES))
    join = fleet.join()
    assert join.progress("t000").complete
    (final,) = [s for s in join.samples() if s.stage == "finalization"]
    assert (final.seconds, final.flags) == (0.0, ("already",))


def test_a_summary_of_fewer_works_than_wecs_is_not_complete() -> None:
    fleet = whole("wec1", "wec2")
    for wec in ("wec1", "wec2"):
        fleet.see(3000, "hub1", resources.MANIFEST_WORKS, work(wec, applied=True, **VALUES))
    fleet.see(4000, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set(total=1, applied=1, available=1))
    progress = fleet.join().progress("t000")
    assert (progress.done["reported"], progress.done.get("finalized", 0)) == (2, 0)


def test_links_are_exact() -> None:
    """Another placement's work, somebody else's work, a foreign owner: none of them joins."""
    fleet = Fleet("wec1")
    fleet.see(10, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set())
    fleet.see(100, "hub1", resources.MANIFEST_WORKS, work("wec1", policy="other"))
    fleet.see(110, "hub1", resources.MANIFEST_WORKS, {**work("wec1"), "metadata": meta("d", "bare", "wec1")})
    fleet.see(150, "wec1", resources.APPLIED_MANIFEST_WORKS, amw("wec1"))
    fleet.see(160, "wec1", resources.DEPLOYMENTS, copy("wec1", FINAL))
    done = fleet.join().progress("t000").done
    assert {mark: count for mark, count in done.items() if count} == {"created": 1}


def test_a_work_that_is_made_anew_is_not_delivered_by_the_one_before() -> None:
    fleet = Fleet("wec1")
    fleet.see(1, "wec1", resources.APPLIED_MANIFEST_WORKS, amw("wec1"))
    fleet.see(5, "wec1", resources.APPLIED_MANIFEST_WORKS, amw("wec1"), "DELETED")
    fleet.see(10, "hub1", resources.MANIFEST_WORK_REPLICA_SETS, replica_set())
    fleet.see(100, "hub1", resources.MANIFEST_WORKS, work("wec1"))
    assert fleet.join().progress("t000").done.get("delivered", 0) == 0
    again = amw("wec1")
    again["metadata"]["uid"] = "second"
    fleet.see(200, "wec1", resources.APPLIED_MANIFEST_WORKS, again)
    assert one(fleet.join().samples(), "delivery", "wec1") == pytest.approx(0.100)


def test_a_version_has_one_line_and_one_more_for_each_hop_that_says_something_new() -> None:
    fleet = Fleet("wec1")
    at = len(fleet.lines)
    fleet.see(100, "hub1", resources.MANIFEST_WORKS, work("wec1"))
    fleet.see(110, "hub1", resources.MANIFEST_WORKS, work("wec1"))
    fleet.see(120, "hub1", resources.MANIFEST_WORKS, work("wec1", applied=True))
    seen = [(line.hop, line.again) for line in fleet.lines[at:] if isinstance(line, HopSeen)]
    assert seen == [
        ("packaged", False), ("applied", False), ("reported", False),
        ("packaged", True),
        ("packaged", True), ("applied", False),
    ]  # fmt: skip


def test_a_placement_resolves_to_the_wecs_of_its_decisions() -> None:
    labels = {"cluster.open-cluster-management.io/placement": POLICY}
    obj = {
        "metadata": meta("p-decision-1", "u", NS, labels=labels),
        "status": {"decisions": [{"clusterName": "wec1", "reason": ""}, {"clusterName": "wec2", "reason": ""}]},
    }
    told = decision(obj, "hub1")
    assert told is not None
    assert (told.policy, told.targets) == (POLICY, ["wec1", "wec2"])
    assert decision({"metadata": meta("p", "u", NS)}, "hub1") is None


def test_a_pod_is_reported_by_its_condition_and_phase() -> None:
    values = [
        {"name": "PodReady", "fieldValue": {"type": "String", "string": "True"}},
        {"name": "PodPhase", "fieldValue": {"type": "String", "string": "Running"}},
    ]
    status = {"resourceStatus": {"manifests": [{"resourceMeta": {"ordinal": 0}, "statusFeedback": {"values": values}}]}}
    pod = work("wec1") | {"spec": {"workload": {"manifests": [held() | {"kind": "Pod"}]}}, "status": status}
    told = reported(pod, "hub1")
    assert told is not None
    (fact,) = told.facts
    assert fact.status == {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    final = {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True", "reason": ""}]}
    assert covers(final, fact.status)
    assert not covers(final | {"conditions": [{"type": "Ready", "status": "False"}]}, fact.status)
    assert not covers(final | {"phase": "Pending"}, fact.status)


def test_a_counter_of_nothing_may_be_left_out() -> None:
    assert covers({"replicas": 1}, {"replicas": 1, "readyReplicas": 0})
    assert not covers({"replicas": 1, "readyReplicas": 1}, {"replicas": 1, "readyReplicas": 0})
    assert not covers(None, {"replicas": 1})
