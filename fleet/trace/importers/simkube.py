"""SimKube's exported traces (msgpack, versions 2 and 3): lifecycles of the pods of each owner, in whole seconds.

It keeps no pod's name, creation or exit code: `t` is when the pod started. Bare pods are not in it but as owners.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from fleet.errors import SpecError, UsageError
from fleet.model.trace import Owner
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, trace
from fleet.trace.lives import Life, lines, read_spec

SIZE_LIMIT = 2 << 30
VERSIONS = (2, 3)
BY_HASH = 2
"""The version that keeps lifecycles by owner and hash of the pod; 3 keeps them in the index."""
NEVER = "pods that never started"
_UNTOLD = {
    "wait": "a lifecycle begins when the pod starts",
    "exit": "a lifecycle has no exit code",
    "node": "a lifecycle has no node",
    "priority": "a lifecycle has no priority",
}


class SimKube:
    """One exported trace."""

    name = "simkube"
    text = "a trace that SimKube exported (msgpack, format 2 or 3)"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - requests are reported as they are
        """As the protocol says."""
        data = _decoded(file)
        events = data.get("events")
        if not isinstance(events, list):
            raise SpecError("must be a list", file=file, field="events")
        objects = _objects(events, file)
        lives: list[Life] = []
        never = 0
        stamps = [float(one["ts"]) for one in events]
        for kind, owner, lifecycle, place in _lifecycles(data, file):
            span = _span(lifecycle, file, place)
            if span is None:
                never += 1
                continue
            namespace, _, name = owner.rpartition("/")
            life = Life(f"{owner}/{len(lives)}", namespace, running=span[0], created=None, deleted=span[1])
            life.owner = None if kind == "Pod" else Owner(kind=kind, name=name)
            read_template(life, objects.get((kind, owner)))
            lives.append(life)
            stamps += [one for one in span if one is not None]
        zero = float(min(stamps, default=0))
        made = lines(lives, zero)
        told = Told(
            self.name, "source-s", complete=True, untold=_UNTOLD,
            left_out={**made.left_out, NEVER: never},
            notes=["t is the start of the pod: no creation is kept", "an end is a deletion, whatever it was"],
        )  # fmt: skip
        return trace(told, made.pods, max(stamps, default=0) - zero, file)


def _decoded(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > SIZE_LIMIT:
            raise SpecError(f"is larger than {SIZE_LIMIT >> 30} GiB", file=file)
        data = msgspec.msgpack.decode(file.read_bytes(), strict=False)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"is not msgpack, or is cut off: {error}", file=file) from error
    if not isinstance(data, dict) or data.get("version") not in VERSIONS:
        found = data.get("version") if isinstance(data, dict) else None
        raise SpecError(f"{found!r} is not a version that can be read (2 or 3)", file=file, field="version")
    return data


def _objects(events: list[Any], file: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The owners by kind and namespaced name, as they were applied first."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    last = None
    for at, event in enumerate(events):
        if not isinstance(event, dict) or not isinstance(event.get("ts"), int):
            raise SpecError("must be a whole number of seconds", file=file, field=f"events.{at}.ts")
        if last is not None and event["ts"] < last:
            said = f"{event['ts']} lies before the event above ({last}): events must ascend by time"
            raise SpecError(said, file=file, field=f"events.{at}.ts")
        last = event["ts"]
        for item in event.get("applied_objs") or []:
            meta = item.get("metadata") or {} if isinstance(item, dict) else {}
            name = f"{meta.get('namespace', '')}/{meta.get('name', '')}"
            found.setdefault((str(item.get("kind", "")), name), item)
    return found


def _lifecycles(data: Mapping[str, Any], file: Path) -> Iterator[tuple[str, str, Any, str]]:
    """Kind of owner, its namespaced name, the lifecycle, and where that stands."""
    if data["version"] == BY_HASH:
        owners = data.get("pod_lifecycles")
        if not isinstance(owners, dict):
            raise SpecError("must be a mapping", file=file, field="pod_lifecycles")
        for key, hashes in owners.items():
            try:
                kind, name = key
                found = [(number, at, one) for number, many in hashes.items() for at, one in enumerate(many)]
            except (TypeError, ValueError, AttributeError) as error:
                raise SpecError("must map (kind, name) to pods", file=file, field="pod_lifecycles") from error
            for number, at, one in found:
                yield _kind(kind), str(name), one, f"pod_lifecycles.{name}.{number}.{at}"
        return
    yield from _indexed(data, file)


def _indexed(data: Mapping[str, Any], file: Path) -> Iterator[tuple[str, str, Any, str]]:
    index = data.get("index")
    if not isinstance(index, dict):
        raise SpecError("must be a mapping", file=file, field="index")
    try:
        found = [
            (gvk, name, f"index.{name}.{mtime}.{at}.lifecycle", one["lifecycle"])
            for gvk, owned in index.items()
            for name, times in owned.items()
            for mtime, many in times.items()
            for at, one in enumerate(many)
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise SpecError(
            "must map kinds to owners, times and pods with a lifecycle", file=file, field="index"
        ) from error
    for gvk, name, place, lifecycle in found:
        yield _kind(gvk), str(name), lifecycle, place


def _kind(gvk: Any) -> str:
    """`apps/v1.Deployment`, `Deployment`, or a mapping with its kind."""
    if isinstance(gvk, dict):
        return str(gvk.get("kind", ""))
    return str(gvk[-1] if isinstance(gvk, tuple | list) else gvk).rpartition(".")[2].rpartition("/")[2]


def _span(lifecycle: Any, file: Path, place: str) -> tuple[float, float | None] | None:
    """Start and end; None for a pod that never started. Rust writes a variant as a one-entry mapping."""
    match lifecycle:
        case "Empty":
            return None
        case {"Running": int(start)}:
            return float(start), None
        case {"Running": [int(start)]}:
            return float(start), None
        case {"Finished": [int(start), int(end)]} if end >= start:
            return float(start), float(end)
        case {"start_ts": int(start), "end_ts": int(end)} if end >= start:
            return float(start), float(end)
        case {"start_ts": int(start)}:
            return float(start), None
    raise SpecError("is no lifecycle, or ends before it starts", file=file, field=place)


def read_template(life: Life, owner: Mapping[str, Any] | None) -> None:
    """Requests out of the pod template of an owner of the usual shapes; of a Pod its own spec."""
    if owner is None:
        return
    spec = owner.get("spec") or {}
    if owner.get("kind") == "CronJob":
        spec = ((spec.get("jobTemplate") or {}).get("spec")) or {}
    template = owner if owner.get("kind") == "Pod" else spec.get("template") or {}
    made = life.owner
    read_spec(life, {"spec": template.get("spec") or {}})
    life.owner, life.node = made, None


IMPORTER = SimKube()
