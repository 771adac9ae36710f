"""Who wrote an object last: read from what changed in its managedFields between two versions.

The API server stamps the entry of the manager that wrote, in whole seconds, and takes fields that it changed from
other managers' entries. So the writer is the entry with the newest stamp among those that changed; within one second it
is the one that did not lose fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_Entry = tuple[str, int]
"""Its time, and how long its list of fields is."""


class Writers:
    """Feed it every version of every object in the order of arrival."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[dict[str, _Entry], str]] = {}

    def writer(self, cluster: str, meta: Mapping[str, Any]) -> str:
        """`manager`, or `manager/status` for a write of a subresource; empty where no manager is named."""
        key = (cluster, str(meta.get("uid", "")))
        entries = _entries(meta.get("managedFields") or ())
        before, last = self._seen.get(key, ({}, ""))
        changed = {name: entry for name, entry in entries.items() if before.get(name) != entry}
        found = max(changed, key=lambda name: (changed[name][0], _grew(before.get(name), changed[name])), default=last)
        self._seen[key] = (entries, found)
        return found

    def forget(self, cluster: str, meta: Mapping[str, Any]) -> None:
        """It was deleted."""
        self._seen.pop((cluster, str(meta.get("uid", ""))), None)


def _entries(managed: Sequence[Mapping[str, Any]]) -> dict[str, _Entry]:
    made: dict[str, _Entry] = {}
    for entry in managed:
        subresource = entry.get("subresource")
        name = f"{entry.get('manager', '')}/{subresource}" if subresource else str(entry.get("manager", ""))
        time, size = str(entry.get("time", "")), len(orjson.dumps(entry.get("fieldsV1")))
        older = made.get(name, ("", 0))  # a manager may have an entry per operation and version
        made[name] = (max(time, older[0]), size + older[1])
    return made


def _grew(before: _Entry | None, now: _Entry) -> int:
    return now[1] - (before[1] if before else 0)
