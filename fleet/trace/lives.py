"""Pods as a source shows them, piece by piece, and the lines of a trace that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from fleet.model.trace import End, Owner, Pod
from fleet.trace import quantity

NEVER_SEEN = "only a later change of them was seen, neither creation nor start"
Inexact = Literal["t", "wait", "life", "lasted", "requests"]


@dataclass(eq=False)
class Life:
    """One pod. Moments are seconds on the source's clock; None: it does not know."""

    key: str
    ns: str = ""
    cluster: str = ""
    created: float | None = None
    bound: float | None = None
    running: float | None = None
    ended: float | None = None
    """It succeeded or failed."""
    deleted: float | None = None
    succeeded: bool | None = None
    exit: int | None = None
    evicted: bool = False
    owner: Owner | None = None
    requests: dict[str, str] = field(default_factory=dict)
    priority: int | None = None
    node: str | None = None
    before: bool = False

    def end(self) -> End:
        """How it ended, first of all that was seen."""
        if self.ended is not None and not (self.deleted is not None and self.deleted < self.ended):
            if self.evicted:
                return "evicted"
            return "succeeded" if self.succeeded else "failed"
        if self.deleted is None:
            return "open"
        return "evicted" if self.evicted else "deleted"

    def pod(self, zero: float) -> Pod | None:
        """Its line, times after `zero`; None when nothing says when it came."""
        inexact: list[Inexact] = []
        begun = zero if self.before else self.created
        if begun is None:
            begun = self.bound if self.bound is not None else self.running
            inexact.append("t")
        if begun is None:
            return None
        end = self.end()
        moments = [moment for moment in (self.ended, self.deleted) if moment is not None]
        over = min(moments) if moments else None
        ran = self.running if self.running is not None and (over is None or self.running <= over) else None
        wait = None if ran is None or self.before or "t" in inexact else max(0.0, ran - begun)
        life = lasted = None
        if over is not None and ran is not None:
            life = max(0.0, over - (begun if self.before else ran))
        elif over is not None:
            lasted = max(0.0, over - begun)
            if "t" in inexact:
                inexact.append("lasted")
        code = self.exit if end in ("succeeded", "failed") else None
        if code is not None and (code == 0) != (end == "succeeded"):
            code = None  # a source that contradicts itself says nothing
        return Pod(
            t=round(max(0.0, begun - zero), 6), key=self.key, ns=self.ns, cluster=self.cluster, owner=self.owner,
            requests=self.requests, priority=self.priority, node=self.node, wait=wait, life=life, lasted=lasted,
            end=end, exit=code, before=self.before, inexact=inexact,
        )  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """What comes of many lives."""

    pods: tuple[Pod, ...]
    left_out: Mapping[str, int]


def lines(lives: Iterable[Life], zero: float) -> Lines:
    """Every life that is known, ascending by time."""
    found: list[Pod] = []
    left: Counter[str] = Counter()
    for life in lives:
        pod = life.pod(zero)
        if pod is None:
            left[NEVER_SEEN] += 1
        else:
            found.append(pod)
    return Lines(tuple(sorted(found, key=lambda pod: (pod.t, pod.key))), dict(left))


def read_spec(life: Life, item: Mapping[str, Any]) -> None:
    """Owner, requests, priority and node, as a Pod object has them; what it lacks stays unknown."""
    meta, spec = _map(item, "metadata"), _map(item, "spec")
    for reference in _list(meta, "ownerReferences"):
        if reference.get("controller", True) and reference.get("kind") and reference.get("name"):
            life.owner = Owner(kind=str(reference["kind"]), name=str(reference["name"]))
            break
    sums: dict[str, list[str]] = {}
    for container in _list(spec, "containers"):
        for name, value in _map(_map(container, "resources"), "requests").items():
            sums.setdefault(str(name), []).append(str(value))
    if sums:
        life.requests = {name: quantity.total(values) for name, values in sums.items()}
    if isinstance(spec.get("priority"), int):
        life.priority = spec["priority"]
    if spec.get("nodeName"):
        life.node = str(spec["nodeName"])


def phase(item: Mapping[str, Any]) -> str:
    """`Pending`, `Running`, `Succeeded`, `Failed` or empty."""
    return str(_map(item, "status").get("phase") or "")


def exit_code(item: Mapping[str, Any]) -> int | None:
    """Of the container that decided: the first with a code above 0, else 0; None when none has terminated."""
    codes = [
        cast("int", terminated["exitCode"])
        for status in _list(_map(item, "status"), "containerStatuses")
        for terminated in [_map(_map(status, "state"), "terminated")]
        if isinstance(terminated.get("exitCode"), int)
    ]
    return next((code for code in codes if code), 0) if codes else None


def was_evicted(item: Mapping[str, Any]) -> bool:
    """By the kubelet (reason Evicted), or by the API or a preemption (condition DisruptionTarget)."""
    status = _map(item, "status")
    return status.get("reason") == "Evicted" or any(
        condition.get("type") == "DisruptionTarget" and condition.get("status") == "True"
        for condition in _list(status, "conditions")
    )


def _map(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(item: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = item.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
