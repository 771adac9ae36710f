"""Pure: one object of a WEC -> the WorkStatus it requests; one AppliedManifestWork -> the kinds to watch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from fleet.managers.kubestellar.status_agent.names import (
    KUBESTELLAR_PREFIXES,
    SINGLETON_LABEL,
    SKIPPED,
    WORK_GROUP,
    Gvr,
    work_status_name,
)

API_VERSION = "control.kubestellar.io/v1alpha1"
KIND = "WorkStatus"


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object of one WEC; writes of one key never overlap."""

    gvr: Gvr
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the hub should hold for one object, and the event that requested it."""

    key: ObjectKey
    kind: str
    uid: str
    rv: str
    owner_uid: str
    """uid of the first AppliedManifestWork among its owners."""
    ws_name: str
    status: Mapping[str, Any] | None
    digest: bytes
    """Of the status; empty when there is none."""
    singleton: str | None
    """Value of the singleton label on the WEC object."""
    received_ns: int
    """Monotonic, at watch receipt."""


@dataclass(frozen=True, slots=True)
class AppliedWork:
    """The part of an AppliedManifestWork that the agent needs."""

    uid: str
    manifest_work: str
    kinds: frozenset[Gvr]


@dataclass(frozen=True, slots=True)
class WorkRef:
    """The ManifestWork that a WorkStatus belongs to."""

    name: str
    uid: str
    labels: Mapping[str, str]

    @property
    def from_kubestellar(self) -> bool:
        """Whether KubeStellar made it (only those are reported)."""
        return any(label.startswith(KUBESTELLAR_PREFIXES) for label in self.labels)


def digest_of(status: object) -> bytes:
    """16 bytes that are equal for equal statuses, whatever the order of their keys; empty for no status."""
    if status is None:
        return b""
    return hashlib.blake2b(orjson.dumps(status, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def first_applied_owner(metadata: Mapping[str, Any]) -> str | None:
    """uid of the first AppliedManifestWork among the ownerReferences; None when there is none."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("kind") == "AppliedManifestWork" and str(owner.get("apiVersion", "")).startswith(WORK_GROUP + "/"):
            return str(owner["uid"])
    return None


def plan_object(obj: Mapping[str, Any], gvr: Gvr, kind: str, received_ns: int) -> Plan | None:
    """The WorkStatus that this object requests; None when no AppliedManifestWork owns it."""
    metadata = obj["metadata"]
    owner = first_applied_owner(metadata)
    if owner is None:
        return None
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    status = obj.get("status")
    return Plan(
        key=ObjectKey(gvr, namespace, name),
        kind=kind,
        uid=metadata["uid"],
        rv=metadata["resourceVersion"],
        owner_uid=owner,
        ws_name=work_status_name(owner, gvr, kind, namespace, name),
        status=status,
        digest=digest_of(status),
        singleton=(metadata.get("labels") or {}).get(SINGLETON_LABEL),
        received_ns=received_ns,
    )


def applied_by(amw: Mapping[str, Any]) -> str:
    """Id of the OCM agent that made an AppliedManifestWork; empty when that is not known."""
    return str((amw.get("spec") or {}).get("agentID") or "")


def plan_applied_work(amw: Mapping[str, Any], kinds: dict[Gvr, Gvr] | None = None) -> AppliedWork:
    """Which ManifestWork it stands for and which kinds it applied, without the skipped ones.

    `kinds` interns equal Gvrs, so that thousands of AppliedManifestWorks share a few.
    """
    pool: dict[Gvr, Gvr] = {} if kinds is None else kinds
    found: set[Gvr] = set()
    for applied in (amw.get("status") or {}).get("appliedResources") or ():
        gvr = Gvr(applied.get("group", ""), applied["version"], applied["resource"])
        if (gvr.group, gvr.resource) not in SKIPPED:
            found.add(pool.setdefault(gvr, gvr))
    return AppliedWork(amw["metadata"]["uid"], amw["spec"]["manifestWorkName"], frozenset(found))


def work_ref(manifest_work: Mapping[str, Any]) -> WorkRef:
    """Name, uid and labels of a ManifestWork."""
    metadata = manifest_work["metadata"]
    return WorkRef(metadata["name"], metadata["uid"], dict(metadata.get("labels") or {}))


def new_work_status(plan: Plan, wec: str, work: WorkRef) -> dict[str, Any]:
    """Body of the POST: everything but the status, which the CRD's subresource would drop."""
    labels = dict(work.labels)
    if plan.singleton is not None:
        labels[SINGLETON_LABEL] = plan.singleton
    owner = {
        "apiVersion": f"{WORK_GROUP}/v1",
        "kind": "ManifestWork",
        "name": work.name,
        "uid": work.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": plan.ws_name, "namespace": wec, "labels": labels, "ownerReferences": [owner]},
        "spec": {"sourceRef": source_ref(plan)},
    }


def status_replacement(plan: Plan, wec: str, rv: str) -> dict[str, Any]:
    """Body of the PUT on /status: the whole new status, on top of the resourceVersion last read."""
    body: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": plan.ws_name, "namespace": wec, "resourceVersion": rv},
        "spec": {"sourceRef": source_ref(plan)},
    }
    if plan.status is not None:
        body["status"] = plan.status
    return body


def source_ref(plan: Plan) -> dict[str, str]:
    """All six keys, always: without them KubeStellar's controller-manager panics."""
    key = plan.key
    return {
        "group": key.gvr.group,
        "version": key.gvr.version,
        "resource": key.gvr.resource,
        "kind": plan.kind,
        "name": key.name,
        "namespace": key.namespace,
    }


def source_of(work_status: Mapping[str, Any]) -> ObjectKey:
    """The object that a WorkStatus reports on, from its sourceRef; fields that it lacks are empty."""
    source = (work_status.get("spec") or {}).get("sourceRef") or {}
    gvr = Gvr(source.get("group", ""), source.get("version", ""), source.get("resource", ""))
    return ObjectKey(gvr, source.get("namespace", ""), source.get("name", ""))
