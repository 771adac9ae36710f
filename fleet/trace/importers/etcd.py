"""A snapshot of etcd (`etcdctl snapshot save`), or the database of one that does not run: every revision of every pod
since the last compaction, at most some minutes of deletions under an API server's defaults.

Its stamps are those in the objects, whole seconds. A pod that is gone was deleted when its last revision says; without
that moment its end stays open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import SpecError
from fleet.trace import wire
from fleet.trace.bolt import Bolt
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, stamp, trace
from fleet.trace.lives import Life, exit_code, lines, phase, read_spec, was_evicted
from fleet.trace.stored_pod import decode

BUCKET = b"key"
GONE = "pods that are gone and of which no revision says when: their end is left open"
_KEY = re.compile(rb"^(?P<place>.*?)/(?:registry/)?pods/(?P<ns>[^/]+)/(?P<name>[^/]+)$")
"""`/registry/pods/<namespace>/<name>`, below another prefix where clusters share an etcd."""
_TOMBSTONE = 18
"""Length of a revision that deletes: 8 bytes, `_`, 8 bytes, `t`."""


class Etcd:
    """One database; several clusters that share it are distinguished by what stands before `/registry`."""

    name = "etcd"
    text = "an etcd snapshot, or the file member/snap/db of an etcd that does not run"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - requests are reported as they are
        """As the protocol says."""
        lives: dict[tuple[str, str], Life] = {}
        last: dict[bytes, tuple[str, str]] = {}
        moments: list[float] = []
        keys: set[str] = set()
        gone = 0
        with Bolt(file) as bolt:
            for revision, content in bolt.items(BUCKET):
                at = f"revision {int.from_bytes(revision[:8], 'big')}"
                try:
                    stored = wire.fields(content)
                except ValueError as error:
                    raise SpecError(f"is damaged: {error}", file=file, field=at) from error
                key = stored.get(1, [b""])[-1]
                found = _KEY.match(key) if isinstance(key, bytes) else None
                if found is None or not isinstance(key, bytes):
                    continue
                if len(revision) == _TOMBSTONE:
                    gone += _bury(lives.get(last.pop(key, ("", ""))))
                    continue
                uid, life = _seen(lives, keys, found, stored, file, at)
                last[key] = uid
                moments += [one for one in (life.created, life.running, life.ended, life.deleted) if one is not None]
        zero = min(moments, default=0.0)
        made = lines(lives.values(), zero)
        clusters = sorted({life.cluster for life in lives.values() if life.cluster})
        told = Told(
            self.name, "object-s", complete=False, left_out=made.left_out, clusters=clusters,
            notes=["revisions before the last compaction are gone: pods that ended before it are not here",
                   *([f"{gone} {GONE}"] if gone else [])],
        )  # fmt: skip
        return trace(told, made.pods, max(moments, default=0.0) - zero, file)


def _seen(  # noqa: PLR0917 - one revision, and what came before it
    lives: dict[tuple[str, str], Life],
    keys: set[str],
    found: re.Match[bytes],
    stored: wire.Fields,
    file: Path,
    at: str,
) -> tuple[tuple[str, str], Life]:
    value = stored.get(5, [b""])[-1]
    try:
        item = decode(value if isinstance(value, bytes) else b"")
    except ValueError as error:
        raise SpecError(f"its value {error}", file=file, field=at) from error
    meta: Mapping[str, Any] = item.get("metadata") or {}
    place = found["place"].decode("utf-8", "replace").strip("/")
    uid = (place, str(meta.get("uid", "")))
    namespace, name = str(meta.get("namespace", "")), str(meta.get("name", ""))
    life = lives.get(uid)
    if life is None:
        key = "/".join(part for part in (place, namespace, name) if part)
        life = lives[uid] = Life(f"{key}#{uid[1]}" if key in keys else key, namespace, place)
        keys.add(key)
    read_spec(life, item)
    life.created = stamp(meta.get("creationTimestamp"), file, None, f"{at} metadata.creationTimestamp")
    if life.deleted is None:
        life.deleted = stamp(meta.get("deletionTimestamp"), file, None, f"{at} metadata.deletionTimestamp")
    _times(life, item, file, at)
    life.evicted = life.evicted or was_evicted(item)
    return uid, life


def _times(life: Life, item: Mapping[str, Any], file: Path, at: str) -> None:
    states = [one.get("state") or {} for one in (item.get("status") or {}).get("containerStatuses") or []]
    starts = [
        stamp(one.get("startedAt"), file, None, f"{at} startedAt")
        for state in states
        for one in state.values()
        if isinstance(one, Mapping)
    ]
    known = [start for start in starts if start is not None]
    if known and life.running is None:
        life.running = min(known)
    said = phase(item)
    if said in ("Succeeded", "Failed") and life.ended is None:
        ends = [
            stamp((state.get("terminated") or {}).get("finishedAt"), file, None, f"{at} finishedAt") for state in states
        ]
        life.ended = max((end for end in ends if end is not None), default=None)
        life.succeeded, life.exit = said == "Succeeded", exit_code(item)


def _bury(life: Life | None) -> int:
    """1 when the pod is gone and nothing says since when."""
    return int(life is not None and life.deleted is None and life.ended is None)


IMPORTER = Etcd()
