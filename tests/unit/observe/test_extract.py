"""Raw objects, in the shape the real programs write them, become lines that keep what a join needs."""

from __future__ import annotations

from typing import Any

from fleet.kube import resources
from fleet.observe.extract import Extractor, Receipt
from fleet.results import events
from fleet.results.events import Clause, Manifest, ObjectRef

AT = Receipt("c1", "ADDED", ns=7, wall=8)
GONE = Receipt("c1", "DELETED", ns=9, wall=10)


def meta(**fields: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "uid": "u1",
        "resourceVersion": "42",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "x"}],
    } | fields


BINDING = {
    "metadata": meta(name="p", generation=3),
    "spec": {
        "destinations": [{"clusterId": "wec1"}, {"clusterId": "wec2"}],
        "workload": {
            "clusterScope": [
                {"group": "", "version": "v1", "resource": "namespaces", "name": "ns", "resourceVersion": "5"}
            ],
            "namespaceScope": [
                {
                    "group": "apps",
                    "version": "v1",
                    "resource": "deployments",
                    "namespace": "ns",
                    "name": "d",
                    "resourceVersion": "6",
                    "wantSingletonReportedState": True,
                }
            ],
        },
    },
}

WORK = {
    "metadata": meta(
        name="mw",
        namespace="wec1",
        generation=2,
        labels={
            "transport.kubestellar.io/originOwnerReferenceBindingKey": "p",
            "transport.kubestellar.io/originWdsName": "wds1",
        },
        annotations={"transport.kubestellar.io/originOwnerReferenceBindingGeneration": "7"},
    ),
    "spec": {
        "workload": {
            "manifests": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "metadata": {"name": "d", "namespace": "ns", "annotations": {"fleet-testbed/op": "op1"}},
                    "spec": {"replicas": 1},
                }
            ]
        }
    },
    "status": {
        "conditions": [
            {"type": "Available", "status": "True", "observedGeneration": 2},
            {"type": "Applied", "status": "True", "observedGeneration": 2},
        ]
    },
}


def test_a_deployment_of_a_wec() -> None:
    status = {"observedGeneration": 1, "replicas": 1}
    obj = {
        "metadata": meta(
            namespace="ns",
            generation=4,
            annotations={"fleet-testbed/op": "op1"},
            labels={"managed-by.kubestellar.io/singletonstatus": "true"},
            ownerReferences=[{"uid": "amw1"}, {"uid": "amw2"}],
        ),
        "spec": {"replicas": 3, "template": {"spec": {}}},
        "status": status,
    }
    assert Extractor().line(resources.DEPLOYMENTS, AT, obj) == events.WorkloadSeen(
        ns=7,
        wall=8,
        cluster="c1",
        type="ADDED",
        uid="u1",
        rv="42",
        writer="x",
        ref=ObjectRef("apps", "deployments", "ns", "n"),
        op="op1",
        generation=4,
        owners=["amw1", "amw2"],
        status=status,
        replicas=3,
        returned="singleton",
        server="2026-01-01T00:00:00Z",
    )


def test_the_multi_label_counts_only_when_true() -> None:
    obj = {"metadata": meta(labels={"managed-by.kubestellar.io/multiwecstatus": "false"})}
    line = Extractor().line(resources.PODS, AT, obj)
    assert isinstance(line, events.WorkloadSeen)
    assert (line.returned, line.status, line.replicas, line.op) == ("", None, None, "")


def test_a_binding_tells_its_clauses_once_per_generation() -> None:
    extract = Extractor()
    first = extract.line(resources.BINDINGS, AT, BINDING)
    again = extract.line(resources.BINDINGS, AT, BINDING)
    newer = extract.line(resources.BINDINGS, AT, BINDING | {"metadata": meta(name="p", generation=4)})

    assert isinstance(first, events.BindingSeen)
    assert first.clauses == [
        Clause(ObjectRef("", "namespaces", "", "ns"), "5"),
        Clause(ObjectRef("apps", "deployments", "ns", "d"), "6"),
    ]
    assert first.destinations == ["wec1", "wec2"]
    assert isinstance(again, events.BindingSeen)
    assert (again.clauses, again.destinations, again.generation) == (None, None, 3)
    assert isinstance(newer, events.BindingSeen)
    assert newer.clauses == first.clauses


def test_an_empty_binding_has_no_clauses_but_a_list() -> None:
    line = Extractor().line(resources.BINDINGS, AT, {"metadata": meta(generation=1), "spec": {"workload": {}}})
    assert isinstance(line, events.BindingSeen)
    assert (line.clauses, line.destinations) == ([], [])


def test_a_manifestwork_keeps_links_and_manifests() -> None:
    line = Extractor().line(resources.MANIFEST_WORKS, AT, WORK)
    assert isinstance(line, events.ManifestWorkSeen)
    assert (line.namespace, line.name, line.binding, line.wds) == ("wec1", "mw", "p", "wds1")
    assert (line.binding_generation, line.generation, line.applied_generation) == (7, 2, 2)
    assert line.manifests == [Manifest("apps", "Deployment", "ns", "d", "op1")]


def test_a_manifestwork_that_failed_to_apply_is_not_applied() -> None:
    failed = WORK | {"status": {"conditions": [{"type": "Applied", "status": "False", "observedGeneration": 2}]}}
    line = Extractor().line(resources.MANIFEST_WORKS, AT, failed)
    assert isinstance(line, events.ManifestWorkSeen)
    assert line.applied_generation == 0


def test_a_manifestwork_of_somebody_else_is_passed_over() -> None:
    assert Extractor().line(resources.MANIFEST_WORKS, AT, {"metadata": meta(namespace="wec1")}) is None


def test_a_deletion_that_a_list_revealed_is_still_ours() -> None:
    extract = Extractor()
    extract.line(resources.MANIFEST_WORKS, AT, WORK)
    bare = {"metadata": {"name": "mw", "namespace": "wec1", "uid": "u1", "resourceVersion": "42"}}

    line = extract.line(resources.MANIFEST_WORKS, GONE, bare)

    assert isinstance(line, events.ManifestWorkSeen)
    assert (line.type, line.binding, line.ns) == ("DELETED", "p", 9)
    assert extract.line(resources.MANIFEST_WORKS, GONE, bare) is None


def test_an_appliedmanifestwork() -> None:
    obj = {
        "metadata": meta(name="hash-mw"),
        "spec": {"manifestWorkName": "mw", "hubHash": "hash"},
        "status": {"appliedResources": [{"uid": "x1"}, {"uid": "x2"}]},
    }
    line = Extractor().line(resources.APPLIED_MANIFEST_WORKS, AT, obj)
    assert isinstance(line, events.AppliedManifestWorkSeen)
    assert (line.name, line.work, line.applied) == ("hash-mw", "mw", ["x1", "x2"])


def test_a_workstatus_before_and_after_its_status() -> None:
    source = {"group": "", "version": "v1", "resource": "pods", "kind": "Pod", "namespace": "ns", "name": "d"}
    obj = {"metadata": meta(namespace="wec1", ownerReferences=[{"uid": "mw1"}]), "spec": {"sourceRef": source}}
    before = Extractor().line(resources.WORK_STATUSES, AT, obj)
    after = Extractor().line(resources.WORK_STATUSES, AT, obj | {"status": {"phase": "Running"}})
    assert isinstance(before, events.WorkStatusSeen)
    assert isinstance(after, events.WorkStatusSeen)
    assert (before.owner, before.ref, before.status) == ("mw1", ObjectRef("", "pods", "ns", "d"), None)
    assert after.status == {"phase": "Running"}


def test_nothing_that_is_missing_or_odd_stops_it() -> None:
    extract = Extractor()
    odd: dict[str, Any] = {"metadata": None, "spec": [], "status": "x"}
    for resource in (resources.BINDINGS, resources.APPLIED_MANIFEST_WORKS, resources.WORK_STATUSES, resources.PODS):
        line = extract.line(resource, AT, odd)
        assert line is not None
        assert events.decode(events.encode(line)) == line
