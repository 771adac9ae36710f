"""Raw Kubernetes objects -> event lines: keeps identity, versions, links and status, drops the rest. No I/O.

Which field joins which hop is told in `fleet.analysis.timelines`; here it is only read out. A missing field becomes
the field's empty value: an object that a test or a stranger put there must not stop a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.model.run_names import OP_ANNOTATION
from fleet.observe.writers import Writers
from fleet.results.events import (
    AppliedManifestWorkSeen,
    BindingSeen,
    Clause,
    Manifest,
    ManifestWorkSeen,
    ObjectRef,
    WorkloadSeen,
    WorkStatusSeen,
)

Object = Mapping[str, Any]
SeenLine = WorkloadSeen | BindingSeen | ManifestWorkSeen | AppliedManifestWorkSeen | WorkStatusSeen

_BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
_WDS_LABEL = "transport.kubestellar.io/originWdsName"
_GENERATION_ANNOTATION = "transport.kubestellar.io/originOwnerReferenceBindingGeneration"
_RETURNED_LABELS = (
    ("managed-by.kubestellar.io/singletonstatus", "singleton"),
    ("managed-by.kubestellar.io/multiwecstatus", "multi"),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where and when one watch event was received, before it was parsed."""

    cluster: str
    type: str
    """ADDED, MODIFIED or DELETED."""
    ns: int
    """time.monotonic_ns() of the driver."""
    wall: int
    """Unix time in nanoseconds."""
    listed: bool = False
    gap: bool = False
    writer: str = ""

    def fields(self, obj: Object) -> dict[str, Any]:
        """The fields that every Seen line has."""
        meta = _map(obj, "metadata")
        return {
            "ns": self.ns,
            "wall": self.wall,
            "cluster": self.cluster,
            "type": self.type,
            "uid": str(meta.get("uid", "")),
            "rv": str(meta.get("resourceVersion", "")),
            "listed": self.listed,
            "gap": self.gap,
            "writer": self.writer,
        }


class Extractor:
    """Turns raw objects into lines. Remembers, beside who wrote each object last:

    which Bindings it has told the clauses of (they can be thousands), and which ManifestWorks are KubeStellar's: a
    deletion that only a list revealed has no labels any more.
    """

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._works: dict[str, ManifestWorkSeen] = {}
        self._writers = Writers()

    def line(self, resource: Resource, receipt: Receipt, obj: Object) -> SeenLine | None:
        """The line of that object; None when it is not ours (a ManifestWork that KubeStellar did not make)."""
        receipt = self._signed(receipt, _map(obj, "metadata"))
        if resource == resources.BINDINGS:
            return self._binding(receipt, obj)
        if resource == resources.MANIFEST_WORKS:
            return self._work(receipt, obj)
        if resource == resources.APPLIED_MANIFEST_WORKS:
            return applied_manifest_work(receipt, obj)
        if resource == resources.WORK_STATUSES:
            return work_status(receipt, obj)
        return workload(resource, receipt, obj)

    def _signed(self, receipt: Receipt, meta: Object) -> Receipt:
        """With the manager that wrote this version."""
        if receipt.type == "DELETED":
            self._writers.forget(receipt.cluster, meta)
            return receipt
        return replace(receipt, writer=self._writers.writer(receipt.cluster, meta))

    def _work(self, receipt: Receipt, obj: Object) -> ManifestWorkSeen | None:
        uid = str(_map(obj, "metadata").get("uid", ""))
        seen = manifest_work(receipt, obj)
        if receipt.type == "DELETED":
            known = self._works.pop(uid, None)
            if seen is None and known is not None:
                return msgspec.structs.replace(known, **receipt.fields(obj))
        elif seen is not None:
            self._works[uid] = seen
        return seen

    def _binding(self, receipt: Receipt, obj: Object) -> BindingSeen:
        seen = binding(receipt, obj)
        if receipt.type == "DELETED":
            self._told.pop(seen.uid, None)
            return _without_clauses(receipt, obj, seen)
        if self._told.get(seen.uid) == seen.generation:
            return _without_clauses(receipt, obj, seen)
        self._told[seen.uid] = seen.generation
        return seen


def workload(resource: Resource, receipt: Receipt, obj: Object) -> WorkloadSeen:
    """An object of the workload kind, in the WDS or in a WEC."""
    meta, spec = _map(obj, "metadata"), _map(obj, "spec")
    labels, annotations = _map(meta, "labels"), _map(meta, "annotations")
    returned = next((name for label, name in _RETURNED_LABELS if labels.get(label) == "true"), "")
    replicas = spec.get("replicas")
    return WorkloadSeen(
        **receipt.fields(obj),
        ref=ObjectRef(resource.group, resource.plural, str(meta.get("namespace", "")), str(meta.get("name", ""))),
        op=str(annotations.get(OP_ANNOTATION, "")),
        generation=_int(meta.get("generation")),
        owners=[str(owner.get("uid", "")) for owner in _list(meta, "ownerReferences")],
        status=obj.get("status"),
        replicas=replicas if isinstance(replicas, int) else None,
        returned=returned,
        server=_created(meta),
    )


def binding(receipt: Receipt, obj: Object) -> BindingSeen:
    """A Binding, with its clauses in its own order: cluster-scoped first."""
    meta, spec = _map(obj, "metadata"), _map(obj, "spec")
    work = _map(spec, "workload")
    clauses = [
        Clause(
            ObjectRef(
                str(entry.get("group", "")),
                str(entry.get("resource", "")),
                str(entry.get("namespace", "")),
                str(entry.get("name", "")),
            ),
            str(entry.get("resourceVersion", "")),
        )
        for scope in ("clusterScope", "namespaceScope")
        for entry in _list(work, scope)
    ]
    return BindingSeen(
        **receipt.fields(obj),
        name=str(meta.get("name", "")),
        generation=_int(meta.get("generation")),
        clauses=clauses,
        destinations=[str(entry.get("clusterId", "")) for entry in _list(spec, "destinations")],
        server=_created(meta),
    )


def _without_clauses(receipt: Receipt, obj: Object, seen: BindingSeen) -> BindingSeen:
    return BindingSeen(**receipt.fields(obj), name=seen.name, generation=seen.generation, server=seen.server)


def manifest_work(receipt: Receipt, obj: Object) -> ManifestWorkSeen | None:
    """A ManifestWork of the transport controller; None for one that somebody else made."""
    meta, spec = _map(obj, "metadata"), _map(obj, "spec")
    labels = _map(meta, "labels")
    if _BINDING_LABEL not in labels:
        return None
    manifests = [_manifest(entry) for entry in _list(_map(spec, "workload"), "manifests")]
    return ManifestWorkSeen(
        **receipt.fields(obj),
        namespace=str(meta.get("namespace", "")),
        name=str(meta.get("name", "")),
        binding=str(labels[_BINDING_LABEL]),
        wds=str(labels.get(_WDS_LABEL, "")),
        binding_generation=_int(_map(meta, "annotations").get(_GENERATION_ANNOTATION)),
        generation=_int(meta.get("generation")),
        manifests=manifests,
        applied_generation=_applied_generation(_map(obj, "status")),
        server=_created(meta),
    )


def _manifest(entry: Object) -> Manifest:
    meta = _map(entry, "metadata")
    version = str(entry.get("apiVersion", ""))
    return Manifest(
        group=version.rpartition("/")[0],
        kind=str(entry.get("kind", "")),
        namespace=str(meta.get("namespace", "")),
        name=str(meta.get("name", "")),
        op=str(_map(meta, "annotations").get(OP_ANNOTATION, "")),
    )


def _applied_generation(status: Object) -> int:
    for condition in _list(status, "conditions"):
        if condition.get("type") == "Applied" and condition.get("status") == "True":
            return _int(condition.get("observedGeneration"))
    return 0


def applied_manifest_work(receipt: Receipt, obj: Object) -> AppliedManifestWorkSeen:
    """An AppliedManifestWork of a WEC."""
    meta = _map(obj, "metadata")
    return AppliedManifestWorkSeen(
        **receipt.fields(obj),
        name=str(meta.get("name", "")),
        work=str(_map(obj, "spec").get("manifestWorkName", "")),
        applied=[str(entry.get("uid", "")) for entry in _list(_map(obj, "status"), "appliedResources")],
        server=_created(meta),
    )


def work_status(receipt: Receipt, obj: Object) -> WorkStatusSeen:
    """A WorkStatus of the ITS; its owner is the ManifestWork, its status the WEC object's, verbatim."""
    meta = _map(obj, "metadata")
    source = _map(_map(obj, "spec"), "sourceRef")
    owners = _list(meta, "ownerReferences")
    return WorkStatusSeen(
        **receipt.fields(obj),
        namespace=str(meta.get("namespace", "")),
        name=str(meta.get("name", "")),
        owner=str(owners[0].get("uid", "")) if owners else "",
        ref=ObjectRef(
            str(source.get("group", "")),
            str(source.get("resource", "")),
            str(source.get("namespace", "")),
            str(source.get("name", "")),
        ),
        status=obj.get("status"),
        server=_created(meta),
    )


def _map(obj: Object, key: str) -> Object:
    value = obj.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(obj: Object, key: str) -> Sequence[Object]:
    value = obj.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _created(meta: Object) -> str:
    return str(meta.get("creationTimestamp") or "")
