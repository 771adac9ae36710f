"""A Pod as an API server stores it in etcd, JSON or protobuf, as the fields of its JSON form that a trace needs.

Field numbers: k8s.io/api core/v1 and k8s.io/apimachinery meta/v1, `generated.proto`; the envelope is
k8s.io/apimachinery `runtime.Unknown` behind four magic bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import orjson

from fleet.trace import wire

MAGIC = b"k8s\x00"


def decode(value: bytes) -> dict[str, Any]:
    """metadata, spec and status with the fields that a trace needs. ValueError for what is no stored object."""
    if value.startswith(b"{"):
        return cast("dict[str, Any]", orjson.loads(value))
    if not value.startswith(MAGIC):
        raise ValueError("is neither JSON nor Kubernetes' protobuf: it may be encrypted")
    envelope = wire.fields(value[len(MAGIC) :])
    raw = envelope.get(2, [b""])[-1]
    pod = wire.fields(raw if isinstance(raw, bytes) else b"")
    return {
        "kind": wire.text(wire.message(envelope, 1), 2),
        "metadata": _metadata(wire.message(pod, 1)),
        "spec": _spec(wire.message(pod, 2)),
        "status": _status(wire.message(pod, 3)),
    }


def _metadata(found: wire.Fields) -> dict[str, Any]:
    owners = [
        {"kind": wire.text(one, 1), "name": wire.text(one, 3), "controller": bool(wire.whole(one, 6))}
        for one in wire.messages(found, 13)
    ]
    return _given(
        name=wire.text(found, 1),
        namespace=wire.text(found, 3),
        uid=wire.text(found, 5),
        creationTimestamp=_time(wire.message(found, 8)),
        deletionTimestamp=_time(wire.message(found, 9)),
        ownerReferences=owners,
    )


def _spec(found: wire.Fields) -> dict[str, Any]:
    containers = [
        {
            "name": wire.text(one, 1),
            "resources": {
                "requests": {
                    wire.text(entry, 1): wire.text(wire.message(entry, 2), 1)
                    for entry in wire.messages(wire.message(one, 8), 2)
                }
            },
        }
        for one in wire.messages(found, 2)
    ]
    return _given(containers=containers, nodeName=wire.text(found, 10), priority=wire.whole(found, 25))


def _status(found: wire.Fields) -> dict[str, Any]:
    conditions = [{"type": wire.text(one, 1), "status": wire.text(one, 2)} for one in wire.messages(found, 2)]
    statuses = [{"name": wire.text(one, 1), "state": _state(wire.message(one, 2))} for one in wire.messages(found, 8)]
    return _given(
        phase=wire.text(found, 1), reason=wire.text(found, 4), conditions=conditions, containerStatuses=statuses
    )


def _state(found: wire.Fields) -> dict[str, Any]:
    running, terminated = wire.message(found, 2), wire.message(found, 3)
    state: dict[str, Any] = {}
    if running:
        state["running"] = _given(startedAt=_time(wire.message(running, 1)))
    if terminated:
        state["terminated"] = {
            "exitCode": wire.whole(terminated, 1) or 0,
            **_given(startedAt=_time(wire.message(terminated, 5)), finishedAt=_time(wire.message(terminated, 6))),
        }
    return state


def _time(found: wire.Fields) -> str:
    seconds = wire.whole(found, 1)
    if seconds is None or not 0 < seconds < 1 << 33:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, [])}
