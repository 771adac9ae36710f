"""The kinds of workload, one entry each: its resource, its body, when a status is final, whether the status is wanted.

`workload.kind` of an experiment file takes the names of those that have a body; objects of the others come from
profiles. A kind that is not here may come from a profile too: any status of it is final, and none is wanted back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Status = Mapping[str, Any]
IMAGE = "registry.invalid/fake:1"
"""Never pulled: a node simulator plays the pods. The `.invalid` domain makes sure of it."""


@dataclass(frozen=True)
class Wanted:
    """One object, as an experiment file wants it."""

    name: str
    op: str
    pods: int = 1
    completes: bool = False
    """It has a lifetime."""
    padding: str = ""
    """What it carries besides, for a kind with `data`."""


@dataclass(frozen=True)
class Shown:
    """What an object shows of itself: its status, and what of its spec that is held against."""

    status: Status
    generation: int = 0
    replicas: int | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of workload."""

    group: str
    version: str
    plural: str
    kind: str
    final: Callable[[Shown], bool]
    """Nothing more is to come: what the object requested is there."""
    returned: bool = False
    """Its status is wanted back at the source and timed: it says that something runs. For a Service or a
    CustomResource that no controller plays, it would only add work to the system under test."""
    completes: bool = False
    """A node simulator completes it after the lifetime that it requests."""
    data: bool = False
    """Padding goes into its data, which may be large; else into an annotation."""
    body: Callable[[Wanted], dict[str, Any]] | None = None
    """Makes the object without apiVersion, kind and metadata."""

    @property
    def name(self) -> str:
        """`deployment`: as experiment files and samples have it."""
        return self.kind.lower()


def of(group: str, plural: str) -> Kind | None:
    """The kind of that resource; None for one that is not in the table."""
    return _BY_RESOURCE.get((group, plural))


def is_final(group: str, plural: str, shown: Shown) -> bool:
    """Whether that status is final. No status, or an empty one, never is."""
    if not isinstance(shown.status, Mapping) or not shown.status:
        return False
    kind = of(group, plural)
    return kind is None or kind.final(shown)


def is_returned(group: str, plural: str) -> bool:
    """Whether the status of that resource is wanted back."""
    kind = of(group, plural)
    return kind is not None and kind.returned


def _any(_shown: Shown) -> bool:
    return True


def _counted(*names: str) -> Callable[[Shown], bool]:
    """The generation was observed, and each of these counters is the number of replicas."""

    def final(shown: Shown) -> bool:
        wanted = 1 if shown.replicas is None else shown.replicas
        return _observed(shown) and all(_count(shown, name) == wanted for name in names)

    return final


def _deployment_final(shown: Shown) -> bool:
    every = _counted("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return every(shown) and _count(shown, "unavailableReplicas") == 0


def _daemon_set_final(shown: Shown) -> bool:
    wanted = _count(shown, "desiredNumberScheduled")
    names = ("updatedNumberScheduled", "numberReady", "numberAvailable")
    return _observed(shown) and all(_count(shown, name) == wanted for name in names)


def _pod_final(shown: Shown) -> bool:
    if shown.status.get("phase") == "Succeeded":
        return True
    conditions = shown.status.get("conditions")
    return shown.status.get("phase") == "Running" and any(
        isinstance(condition, Mapping) and condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in (conditions if isinstance(conditions, list) else ())
    )


def _observed(shown: Shown) -> bool:
    return _count(shown, "observedGeneration") >= shown.generation


def _count(shown: Shown, field: str) -> int:
    """The API leaves a counter of 0 out."""
    value = shown.status.get(field)
    return value if isinstance(value, int) else 0


def _deployment(wanted: Wanted) -> dict[str, Any]:
    # The template carries no label of the run: ReplicaSets and pods stay out of the watches that select by it.
    labels = {"app": wanted.name}
    template = {"metadata": {"labels": labels}, "spec": _pod_spec("deployment")}
    return {"spec": {"replicas": wanted.pods, "selector": {"matchLabels": labels}, "template": template}}


def _pod(wanted: Wanted) -> dict[str, Any]:
    # A source has no kubelet: a grace period would keep the deleted pod there forever.
    spec = _pod_spec("pod") | {"terminationGracePeriodSeconds": 0}
    return {"spec": spec | {"restartPolicy": "Never"} if wanted.completes else spec}


def _config_map(wanted: Wanted) -> dict[str, Any]:
    return {"data": {"op": wanted.op} | ({"padding": wanted.padding} if wanted.padding else {})}


def _pod_spec(container: str) -> dict[str, Any]:
    # No token: the fake pod calls nothing, and the volume would only make what carries it larger.
    requests = {"requests": {"cpu": "1m", "memory": "1Mi"}}
    return {
        "automountServiceAccountToken": False,
        "containers": [{"name": container, "image": IMAGE, "resources": requests}],
    }


KINDS: tuple[Kind, ...] = (
    Kind("apps", "v1", "deployments", "Deployment", _deployment_final, returned=True, body=_deployment),
    Kind("", "v1", "pods", "Pod", _pod_final, returned=True, completes=True, body=_pod),
    Kind("", "v1", "configmaps", "ConfigMap", _any, data=True, body=_config_map),
    Kind("apps", "v1", "replicasets", "ReplicaSet", _counted("replicas", "readyReplicas", "availableReplicas")),
    Kind("apps", "v1", "daemonsets", "DaemonSet", _daemon_set_final),
)
"""All of them. To add a kind, add an entry."""

WRITABLE: Mapping[str, Kind] = {kind.name: kind for kind in KINDS if kind.body is not None}
"""By the word in an experiment file."""

_BY_RESOURCE = {(kind.group, kind.plural): kind for kind in KINDS}
