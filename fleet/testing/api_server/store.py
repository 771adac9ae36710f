"""The memory of the fake API server: objects, one resourceVersion counter, the history that watches read.

Objects are never changed in place: each version is a value of its own, so lists and watches share them freely.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fleet.kube.events import EventType
from fleet.kube.resources import ALL, CRDS, NAMESPACES, Resource
from fleet.kube.view import Key, key_of

Object = Mapping[str, Any]
Kind = tuple[str, str]
"""Group and plural: all versions of a resource share their objects."""


class Refusal(Exception):  # noqa: N818 - an answer of the server, turned into a Status
    """What the server answers instead: HTTP code, reason, message."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of history: what the object was before (None: it was not there) and what it is (None: it is gone)."""

    version: int
    kind: Kind
    before: Object | None
    after: Object | None


def kind_of(resource: Resource) -> Kind:
    """The store's key of a resource."""
    return resource.group, resource.plural


class Store:
    """All objects of one fake cluster. Single-threaded: used from the server's event loop and from tests in it."""

    def __init__(self, resources: Iterable[Resource] = ALL, *, collect_garbage: bool = False) -> None:
        self.resources: dict[tuple[str, str, str], Resource] = {}
        self.version = 100
        """The newest resourceVersion."""
        self.compacted = 0
        """Versions below this one are forgotten: lists and watches from them get 410."""
        self.history: list[Entry] = []
        self.grown = asyncio.Event()
        """Set and replaced whenever history grows."""
        self._objects: dict[Kind, dict[Key, Object]] = {}
        self._created = 0
        self._collect_garbage = collect_garbage
        for resource in resources:
            self.serve(resource)
        for name in ("default", "kube-system"):
            self.create(NAMESPACES, {"metadata": {"name": name}})

    def serve(self, resource: Resource) -> None:
        """Makes the server know one more resource."""
        self.resources[resource.group, resource.version, resource.plural] = resource

    # Reading

    def objects(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Objects of a resource in the order of namespace and name."""
        held = self._objects.get(kind_of(resource), {})
        return [held[key] for key in sorted(held) if namespace is None or key[0] == namespace]

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object; Refusal 404."""
        try:
            return self._objects[kind_of(resource)][namespace or "", name]
        except KeyError:
            raise Refusal(404, "NotFound", f'{resource} "{name}" not found') from None

    def since(self, index: int) -> list[Entry]:
        """History from a position on."""
        return self.history[index:]

    def position(self, version: int) -> int:
        """Where in history the first step after that version is; Refusal 410 when it is forgotten."""
        if version < self.compacted:
            raise Refusal(410, "Expired", f"too old resource version: {version} ({self.compacted})")
        low, high = 0, len(self.history)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.history[middle].version <= version else (low, middle)
        return low

    def compact(self) -> None:
        """Forgets all history so far: every older resourceVersion and continue token is gone from now on."""
        self.version += 1  # so that even the newest version sent so far is too old
        self.compacted = self.version

    def rewind(self, version: int) -> None:
        """Goes back to what it was at that version, as an API server over a restored backup does."""
        while self.history and self.history[-1].version > version:
            entry = self.history.pop()
            held = self._objects[entry.kind]
            if entry.after is not None:
                del held[key_of(entry.after["metadata"])]
            if entry.before is not None:
                held[key_of(entry.before["metadata"])] = entry.before
        self.version = version

    # Writing

    def create(self, resource: Resource, obj: Object, namespace: str | None = None) -> Object:
        """Stores a new object, status included, with a fresh uid; Refusal 409 when its name is taken."""
        metadata = dict(obj.get("metadata") or {})
        if resource.namespaced:
            metadata.setdefault("namespace", namespace or "default")
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                raise Refusal(422, "Invalid", "metadata.name: Required value: name or generateName is required")
            metadata["name"] = f"{metadata['generateName']}{self._created:05x}"
        if key_of(metadata) in self._objects.get(kind_of(resource), {}):
            raise Refusal(409, "AlreadyExists", f'{resource} "{metadata["name"]}" already exists')
        self._created += 1
        metadata["uid"] = str(uuid4())  # as in a real fleet, no two servers give the same
        metadata["creationTimestamp"] = _now()
        metadata["generation"] = 1
        metadata.pop("deletionTimestamp", None)
        return self._write(resource, None, {**obj, "metadata": metadata})

    def update(
        self, resource: Resource, name: str, namespace: str | None, change: Callable[[Object], Object]
    ) -> Object:
        """Stores what `change` makes of the object; unchanged objects keep their version. Refusal 404, 409, 422."""
        before = self.get(resource, name, namespace)
        after = dict(change(before))
        old, new = before["metadata"], dict(after.get("metadata") or {})
        asked = new.get("resourceVersion")
        if asked and asked != old["resourceVersion"]:
            raise Refusal(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": object was modified')
        if new.get("uid", old["uid"]) != old["uid"]:
            raise Refusal(409, "Conflict", f"Precondition failed: UID in precondition: {new['uid']}")
        fixed = ("name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp")
        new = {k: v for k, v in new.items() if k not in fixed} | {k: old[k] for k in fixed if k in old}
        after["metadata"] = new
        if after == before:
            return before
        if _desired(after) != _desired(before):
            new["generation"] = old["generation"] + 1
        if new.get("deletionTimestamp") and not new.get("finalizers"):
            return self._remove(resource, {**after, "metadata": new})
        return self._write(resource, before, after)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> Object:
        """Removes an object, or marks it while it has finalizers; Refusal 404, or 409 when it has another uid."""
        obj = self.get(resource, name, namespace)
        metadata = obj["metadata"]
        if uid is not None and uid != metadata["uid"]:
            raise Refusal(
                409, "Conflict", f"Precondition failed: UID in precondition: {uid}, in object: {metadata['uid']}"
            )
        if metadata.get("finalizers"):
            if metadata.get("deletionTimestamp"):
                return obj
            return self._write(resource, obj, {**obj, "metadata": {**metadata, "deletionTimestamp": _now()}})
        gone = self._remove(resource, obj)
        if self._collect_garbage and propagation != "Orphan":
            self._collect(metadata["uid"])
        return gone

    def _write(self, resource: Resource, before: Object | None, after: Mapping[str, Any]) -> Object:
        self.version += 1
        metadata = {**after["metadata"], "resourceVersion": str(self.version)}
        stored = {**after, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        self._objects.setdefault(kind_of(resource), {})[key_of(metadata)] = stored
        self._record(resource, before, stored)
        if resource == CRDS:
            self._serve_crd(stored)
        return stored

    def _remove(self, resource: Resource, obj: Object) -> Object:
        self.version += 1
        del self._objects[kind_of(resource)][key_of(obj["metadata"])]
        # A deletion's event shows the last state with the deletion's own resourceVersion.
        gone = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        self._record(resource, gone, None)
        if resource == NAMESPACES:
            for inner in [r for r in self.resources.values() if r.namespaced]:
                for held in self.objects(inner, obj["metadata"]["name"]):
                    self._remove(inner, held)
        return gone

    def _record(self, resource: Resource, before: Object | None, after: Object | None) -> None:
        self.history.append(Entry(self.version, kind_of(resource), before, after))
        self.grown.set()
        self.grown = asyncio.Event()

    def _serve_crd(self, crd: Object) -> None:
        spec = crd.get("spec") or {}
        for version in spec.get("versions") or ():
            names = spec["names"]
            self.serve(
                Resource(
                    spec["group"], version["name"], names["plural"], names["kind"], spec.get("scope") == "Namespaced"
                )
            )

    def _collect(self, uid: str) -> None:
        for resource in list(self.resources.values()):
            for obj in self.objects(resource):
                owners = obj["metadata"].get("ownerReferences") or ()
                if owners and all(owner["uid"] == uid for owner in owners):
                    self.delete(resource, obj["metadata"]["name"], obj["metadata"].get("namespace"))


def event_of(entry: Entry, match: Callable[[Object], bool]) -> tuple[EventType, Object] | None:
    """What a watch with that selector says of a step: entering and leaving the selection are ADDED and DELETED."""
    if entry.after is None:
        gone = entry.before
        return ("DELETED", gone) if gone is not None and match(gone) else None
    was, is_now = entry.before is not None and match(entry.before), match(entry.after)
    if is_now:
        return ("MODIFIED" if was else "ADDED"), entry.after
    return ("DELETED", entry.after) if was else None


def _desired(obj: Object) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
