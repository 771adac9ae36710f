"""What a reflector knows of a collection: uid and resourceVersion per object, and which change an event or a list is.

Pure: no clock, no network. Small: two strings per object, never the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.kube.events import EventType
from fleet.kube.resources import Resource

Change = tuple[EventType, Mapping[str, Any], bool]
"""Type, object, and whether it was inferred (the watch did not say it)."""

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""


def key_of(metadata: Mapping[str, Any]) -> Key:
    """The key of an object's metadata."""
    return metadata.get("namespace", ""), metadata["name"]


class View:
    """The objects that were delivered so far. Every (uid, resourceVersion) is delivered at most once, in the server's
    order."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._known: dict[Key, tuple[str, str]] = {}
        self._listing: set[Key] = set()

    def __len__(self) -> int:
        return len(self._known)

    def versions(self) -> dict[Key, tuple[str, str]]:
        """A copy: (uid, resourceVersion) by key."""
        return dict(self._known)

    def observe(self, said: EventType, obj: Mapping[str, Any]) -> Iterator[Change]:
        """The changes that a watch event means: none when it was delivered already, two when a deletion had been
        lost."""
        metadata = obj["metadata"]
        key = key_of(metadata)
        uid, version = metadata["uid"], metadata["resourceVersion"]
        known = self._known.get(key)
        if said == "DELETED":
            if known is not None and known[0] == uid:
                del self._known[key]
                yield "DELETED", obj, False
            return
        if known == (uid, version):
            return
        self._known[key] = (uid, version)
        if known is None:
            yield said, obj, False
        elif known[0] == uid:
            yield "MODIFIED", obj, False
        else:
            yield "DELETED", self._tombstone(key, known), True
            yield "ADDED", obj, False

    def begin_list(self) -> None:
        """A list starts, or starts over."""
        self._listing = set()

    def page(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
        """The changes that one page of a list reveals."""
        for obj in items:
            metadata = obj["metadata"]
            key = key_of(metadata)
            self._listing.add(key)
            known = self._known.get(key)
            found = (metadata["uid"], metadata["resourceVersion"])
            if known == found:
                continue
            self._known[key] = found
            if known is not None and known[0] != found[0]:
                yield "DELETED", self._tombstone(key, known), True
            yield ("MODIFIED" if known is not None and known[0] == found[0] else "ADDED"), obj, True

    def end_list(self) -> Iterator[Change]:
        """The deletions that the whole list reveals."""
        for key in [key for key in self._known if key not in self._listing]:
            yield "DELETED", self._tombstone(key, self._known.pop(key)), True
        self._listing = set()

    def _tombstone(self, key: Key, known: tuple[str, str]) -> Mapping[str, Any]:
        metadata = {"name": key[1], "uid": known[0], "resourceVersion": known[1]}
        if key[0]:
            metadata["namespace"] = key[0]
        return {"apiVersion": self._resource.api_version, "kind": self._resource.kind, "metadata": metadata}
