"""The lines of a trace as the objects that play them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.model.kinds import IMAGE
from fleet.model.pod_marks import ENDED, RUNNING
from fleet.model.run_names import ENTRY_ANNOTATION
from fleet.model.trace import Pod
from fleet.workload.content import EXIT_CODE_ANNOTATION, LIFETIME_ANNOTATION

SHORTEST = 0.001
"""Seconds: a lifetime of 0 would be none."""
UNKNOWN_FAILURE = 1
"""Exit code of a pod that failed with a code that the trace does not hold; it is not judged."""
BATCH = ("Job", "CronJob")


@dataclass(frozen=True)
class Entry:
    """One pod of the trace in one trial."""

    number: int
    """Its line in the trace, from 0."""
    pod: Pod
    name: str
    due: float
    """Seconds after the load's begin."""
    wec: str

    @property
    def batch(self) -> bool:
        """Its owner runs pods to their end, and it came to one."""
        return self.pod.owner is not None and self.pod.owner.kind in BATCH and ends_itself(self.pod)


def entries(pods: Sequence[Pod], trial: str, speed: float, wecs: Sequence[str]) -> list[Entry]:
    """All of them. What was recorded in one cluster goes to one WEC, the pods of one owner too; others take turns."""
    turns: dict[str, str] = {}
    made = []
    for number, pod in enumerate(pods):
        group = pod.cluster or (f"{pod.ns}/{pod.owner.kind}/{pod.owner.name}" if pod.owner else f"#{number}")
        wec = turns.setdefault(group, wecs[len(turns) % len(wecs)])
        made.append(Entry(number, pod, f"{trial}-{number:06d}", pod.t / speed, wec))
    return made


def number_of(name: str) -> int:
    """The line of the trace that an object of that name plays."""
    return int(name.split("-")[1])


def ends_itself(pod: Pod) -> bool:
    """It succeeded or failed, after a time that is known: its node ends it. Else somebody deletes it, or it stays."""
    return pod.end in ("succeeded", "failed") and pod.ends_after is not None


def last_mark(entry: Entry, *, controllers: bool) -> str:
    """The mark with which it is over; empty for a pod of a ReplicaSet, whose controller chooses which pod goes."""
    if controllers and entry.pod.owner is not None and not entry.batch:
        return ""
    if ends_itself(entry.pod):
        return ENDED
    return "deleted" if entry.pod.end in ("deleted", "evicted") and entry.pod.ends_after is not None else RUNNING


def how_it_ends(entry: Entry, speed: float) -> dict[str, str]:
    """How its node is to end it, and which line it plays."""
    found = {ENTRY_ANNOTATION: entry.pod.key}
    length = entry.pod.life if entry.pod.life is not None else entry.pod.lasted
    if ends_itself(entry.pod) and length is not None:
        code = entry.pod.exit
        if code is None:
            code = 0 if entry.pod.end == "succeeded" else UNKNOWN_FAILURE
        found |= {LIFETIME_ANNOTATION: f"{max(SHORTEST, length / speed):.3f}s", EXIT_CODE_ANNOTATION: str(code)}
    return found


@dataclass(frozen=True)
class Wishes:
    """What pods get of what was recorded, alongside time and end."""

    requests: bool = True
    classes: Mapping[int, str] = field(default_factory=dict)
    """PriorityClass by priority; none: priorities are not played."""


def spec(pod: Pod, wishes: Wishes) -> dict[str, Any]:
    """Of one container that asks what all of them asked."""
    container: dict[str, Any] = {"name": "recorded", "image": IMAGE}
    if wishes.requests and pod.requests:
        container["resources"] = {"requests": dict(pod.requests)}
    chosen = wishes.classes.get(pod.priority or 0)
    return {
        **({"priorityClassName": chosen} if chosen else {}),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
        "containers": [container],
    }


def bare(entry: Entry, namespace: str, labels: Mapping[str, str], speed: float, wishes: Wishes) -> dict[str, Any]:
    """The pod itself."""
    meta = {"name": entry.name, "namespace": namespace, "labels": dict(labels),
            "annotations": how_it_ends(entry, speed)}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec(entry.pod, wishes)}


def job(entry: Entry, namespace: str, labels: Mapping[str, str], speed: float, wishes: Wishes) -> dict[str, Any]:
    """A Job of one pod, which is not tried again: pods of one recorded Job end differently, and a template cannot."""
    template = {
        "metadata": {"labels": dict(labels), "annotations": how_it_ends(entry, speed)},
        "spec": spec(entry.pod, wishes),
    }
    meta = {"name": entry.name, "namespace": namespace, "labels": dict(labels)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {"backoffLimit": 0, "template": template},
    }


def replica_set(
    entry: Entry, namespace: str, labels: Mapping[str, str], replicas: int, wishes: Wishes
) -> dict[str, Any]:
    """What keeps so many pods of one owner; which of them goes when there are fewer is its controller's choice."""
    own = {"replay": entry.name}
    inner = {**spec(entry.pod, wishes), "restartPolicy": "Always"}
    template = {"metadata": {"labels": {**labels, **own}}, "spec": inner}
    meta = {"name": entry.name, "namespace": namespace, "labels": dict(labels)}
    body = {"replicas": replicas, "selector": {"matchLabels": own}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": body}
