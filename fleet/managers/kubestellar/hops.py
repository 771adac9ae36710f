"""What KubeStellar's objects say of an object's way: Bindings, ManifestWorks, AppliedManifestWorks and WorkStatuses."""

from __future__ import annotations

from fleet.kube.resources import APPLIED_MANIFEST_WORKS, BINDINGS, MANIFEST_WORKS, WORK_STATUSES
from fleet.managers.fields import Object, entries, label, meta, number, op_of, text, within
from fleet.managers.kubestellar.record import BOUND, DELIVERED, PACKAGED, REPORTED
from fleet.managers.manager import Fact, Hop, Key, Told
from fleet.managers.ocm.applied import applied

BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
WDS_LABEL = "transport.kubestellar.io/originWdsName"
GENERATION_ANNOTATION = "transport.kubestellar.io/originOwnerReferenceBindingGeneration"


def binding(obj: Object, _cluster: str) -> Told:
    """Its clauses name objects at resourceVersions, its destinations are WECs."""
    clauses = [*entries(obj, "spec", "workload", "clusterScope"), *entries(obj, "spec", "workload", "namespaceScope")]
    return Told(
        facts=[Fact(_clause(one)) for one in clauses],
        policy=meta(obj, "name"),
        version=number(within(obj, "metadata"), "generation"),
        targets=[text(one, "clusterId") for one in entries(obj, "spec", "destinations")],
    )


def _clause(one: Object) -> Key:
    """There may be thousands in one Binding, and each of its generations has them all."""
    get = one.get
    return (
        "rv",
        str(get("resourceVersion", "")),
        str(get("group", "")),
        str(get("resource", "")),
        str(get("namespace", "")),
        str(get("name", "")),
    )


def manifest_work(obj: Object, _cluster: str) -> Told | None:
    """One that the transport controller made of a Binding: in the WEC's namespace, with objects of the workload."""
    binding_name = label(obj, BINDING_LABEL)
    if not binding_name:
        return None
    wec = meta(obj, "namespace")
    return Told(
        facts=[Fact(("op", op_of(held)), wec) for held in entries(obj, "spec", "workload", "manifests")],
        gives=[("work", wec, meta(obj, "name")), ("work-uid", meta(obj, "uid"))],
        policy=binding_name,
        source=label(obj, WDS_LABEL),
        version=number(within(obj, "metadata", "annotations"), GENERATION_ANNOTATION),
    )


def work_status(obj: Object, _cluster: str) -> Told:
    """Of one object in a ManifestWork, its owner: the WEC object's status, verbatim."""
    source = within(obj, "spec", "sourceRef")
    owner = next(iter(entries(obj, "metadata", "ownerReferences")), {})
    ref = (text(source, key) for key in ("group", "resource", "namespace", "name"))
    about = ("work-uid", text(owner, "uid"), *ref)
    return Told(facts=[Fact(about, meta(obj, "namespace"), status=obj.get("status"))])


HOPS = (
    Hop(BOUND, BINDINGS, binding, of_generation=True),
    Hop(PACKAGED, MANIFEST_WORKS, manifest_work),
    Hop(DELIVERED, APPLIED_MANIFEST_WORKS, applied),
    Hop(REPORTED, WORK_STATUSES, work_status),
)
"""What is watched, each with its row of the table."""
