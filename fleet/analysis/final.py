"""When the status of an object in a WEC is final: the predicate of each workload kind, and the digest of a status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from fleet.results.events import WorkloadSeen

_encoder = msgspec.json.Encoder(order="deterministic")


def digest(status: Any) -> bytes:
    """16 bytes that are equal exactly when two statuses are deep-equal: same keys, values and list order."""
    return blake2b(_encoder.encode(status), digest_size=16).digest()


def covers(status: Any, fields: Any) -> bool:
    """Whether a status has these fields with these values. Of a list each entry must be met by one of the status's;
    a counter of 0 may be left out on either side."""
    if isinstance(fields, Mapping):
        have = status if isinstance(status, Mapping) else {}
        return all(covers(have.get(key), value) for key, value in fields.items())
    if isinstance(fields, list):
        listed = status if isinstance(status, list) else []
        return all(any(covers(entry, wanted) for entry in listed) for wanted in fields)
    return bool(status == fields or (not status and fields == 0))


def is_final(seen: WorkloadSeen) -> bool:
    """Nothing more is to come: what the object asked for is there.

    Deployment, ReplicaSet: the generation was observed and every replica is updated, ready and available. DaemonSet:
    the same of its scheduled nodes. Pod: Running and Ready, or Succeeded. Kinds without a predicate are final with any
    status.
    """
    status = seen.status
    if not isinstance(status, Mapping) or not status:
        return False
    predicate = _PREDICATES.get((seen.ref.group, seen.ref.resource))
    return predicate is None or predicate(seen, status)


def _deployment(seen: WorkloadSeen, status: Mapping[str, Any]) -> bool:
    wanted = 1 if seen.replicas is None else seen.replicas
    return (
        _observed(seen, status)
        and all(
            _count(status, field) == wanted
            for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        )
        and _count(status, "unavailableReplicas") == 0
    )


def _replica_set(seen: WorkloadSeen, status: Mapping[str, Any]) -> bool:
    wanted = 1 if seen.replicas is None else seen.replicas
    return _observed(seen, status) and all(
        _count(status, field) == wanted for field in ("replicas", "readyReplicas", "availableReplicas")
    )


def _daemon_set(seen: WorkloadSeen, status: Mapping[str, Any]) -> bool:
    wanted = _count(status, "desiredNumberScheduled")
    return _observed(seen, status) and all(
        _count(status, field) == wanted for field in ("updatedNumberScheduled", "numberReady", "numberAvailable")
    )


def _pod(_seen: WorkloadSeen, status: Mapping[str, Any]) -> bool:
    if status.get("phase") == "Succeeded":
        return True
    conditions = status.get("conditions")
    return status.get("phase") == "Running" and any(
        isinstance(condition, Mapping) and condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in (conditions if isinstance(conditions, list) else ())
    )


def _observed(seen: WorkloadSeen, status: Mapping[str, Any]) -> bool:
    return _count(status, "observedGeneration") >= seen.generation


def _count(status: Mapping[str, Any], field: str) -> int:
    """The API leaves a counter of 0 out."""
    value = status.get(field)
    return value if isinstance(value, int) else 0


_PREDICATES: dict[tuple[str, str], Callable[[WorkloadSeen, Mapping[str, Any]], bool]] = {
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replica_set,
    ("apps", "daemonsets"): _daemon_set,
    ("", "pods"): _pod,
}
