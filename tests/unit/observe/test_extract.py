"""Raw objects, in the shape the real programs write them, become lines that keep what a join needs."""

from __future__ import annotations

from typing import Any

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.managers.kubestellar.hops import HOPS
from fleet.managers.ocm.hops import HOPS as OCM_HOPS
from fleet.observe.extract import Extractor, Receipt, SeenLine
from fleet.results import events
from fleet.results.events import Fact, HopSeen, ObjectRef

READ = {("c1", hop.resource): [hop] for hop in HOPS}

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


def extractor() -> Extractor:
    return Extractor(READ)


def line_of(extract: Extractor, resource: Resource, receipt: Receipt, obj: dict[str, Any]) -> SeenLine | None:
    found = extract.lines(resource, receipt, obj)
    assert len(found) <= 1
    return found[0] if found else None


def hop_of(resource: Resource, obj: dict[str, Any]) -> HopSeen:
    line = line_of(extractor(), resource, AT, obj)
    assert isinstance(line, HopSeen)
    return line


def test_a_deployment_of_a_wec() -> None:
    status = {"observedGeneration": 1, "replicas": 1}
    obj = {
        "metadata": meta(
            namespace="ns",
            generation=4,
            annotations={"fleet-testbed/op": "op1"},
            ownerReferences=[{"uid": "amw1"}, {"uid": "amw2"}],
        ),
        "spec": {"replicas": 3, "template": {"spec": {}}},
        "status": status,
    }
    assert line_of(extractor(), resources.DEPLOYMENTS, AT, obj) == events.WorkloadSeen(
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
        server="2026-01-01T00:00:00Z",
    )


def test_a_binding_names_its_objects_once_per_generation() -> None:
    extract = extractor()
    first = line_of(extract, resources.BINDINGS, AT, BINDING)
    again = line_of(extract, resources.BINDINGS, AT, BINDING)
    newer = line_of(extract, resources.BINDINGS, AT, BINDING | {"metadata": meta(name="p", generation=4)})

    assert isinstance(first, HopSeen)
    assert (first.hop, first.policy, first.version, first.targets) == ("bound", "p", 3, ["wec1", "wec2"])
    assert first.facts == [
        Fact(("rv", "5", "", "namespaces", "", "ns")),
        Fact(("rv", "6", "apps", "deployments", "ns", "d")),
    ]
    assert isinstance(again, HopSeen)
    assert (again.again, again.facts, again.targets, again.name) == (True, [], None, "p")
    assert isinstance(newer, HopSeen)
    assert (newer.again, newer.facts, newer.version) == (False, first.facts, 4)


def test_an_empty_binding_resolves_to_nothing() -> None:
    line = hop_of(resources.BINDINGS, {"metadata": meta(generation=1), "spec": {"workload": {}}})
    assert (line.facts, line.targets) == ([], [])


def test_a_manifestwork_keeps_links_and_op_ids() -> None:
    line = hop_of(resources.MANIFEST_WORKS, WORK)
    assert (line.hop, line.namespace, line.name, line.policy, line.source) == ("packaged", "wec1", "mw", "p", "wds1")
    assert line.version == 7
    assert line.facts == [Fact(("op", "op1"), "wec1")]
    assert line.gives == [("work", "wec1", "mw"), ("work-uid", "u1")]


def test_a_manifestwork_of_somebody_else_is_passed_over() -> None:
    assert extractor().lines(resources.MANIFEST_WORKS, AT, {"metadata": meta(namespace="wec1")}) == []


def test_a_deletion_that_a_list_revealed_is_still_ours() -> None:
    extract = extractor()
    extract.lines(resources.MANIFEST_WORKS, AT, WORK)
    bare = {"metadata": {"name": "mw", "namespace": "wec1", "uid": "u1", "resourceVersion": "42"}}

    line = line_of(extract, resources.MANIFEST_WORKS, GONE, bare)

    assert isinstance(line, HopSeen)
    assert (line.type, line.hop, line.name, line.ns) == ("DELETED", "packaged", "mw", 9)
    assert extract.lines(resources.MANIFEST_WORKS, GONE, bare) == []


def test_what_comes_back_after_its_deletion_says_everything_again() -> None:
    extract = extractor()
    extract.lines(resources.MANIFEST_WORKS, AT, WORK)
    extract.lines(resources.MANIFEST_WORKS, GONE, WORK)
    line = line_of(extract, resources.MANIFEST_WORKS, AT, WORK)
    assert isinstance(line, HopSeen)
    assert line.facts == [Fact(("op", "op1"), "wec1")]


def test_an_appliedmanifestwork() -> None:
    line = hop_of(
        resources.APPLIED_MANIFEST_WORKS, {"metadata": meta(name="hash-mw"), "spec": {"manifestWorkName": "mw"}}
    )
    assert (line.hop, line.name, line.facts) == ("delivered", "hash-mw", [Fact(("work", "c1", "mw"), "c1")])


def test_a_workstatus_before_and_after_its_status() -> None:
    source = {"group": "", "version": "v1", "resource": "pods", "kind": "Pod", "namespace": "ns", "name": "d"}
    obj = {"metadata": meta(namespace="wec1", ownerReferences=[{"uid": "mw1"}]), "spec": {"sourceRef": source}}
    about = ("work-uid", "mw1", "", "pods", "ns", "d")
    assert hop_of(resources.WORK_STATUSES, obj).facts == [Fact(about, "wec1")]
    after = hop_of(resources.WORK_STATUSES, obj | {"status": {"phase": "Running"}})
    assert after.facts == [Fact(about, "wec1", status={"phase": "Running"})]


def test_nothing_that_is_missing_or_odd_stops_it() -> None:
    odd: dict[str, Any] = {"metadata": None, "spec": [], "status": "x"}
    for hops in (HOPS, OCM_HOPS):
        for hop in hops:
            hop.read(odd, "c1")
    for resource in (resources.BINDINGS, resources.APPLIED_MANIFEST_WORKS, resources.WORK_STATUSES, resources.PODS):
        line = line_of(extractor(), resource, AT, odd)
        assert line is not None
        assert events.decode(events.encode(line)) == line
