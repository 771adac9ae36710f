"""Which marks a version of a NodeClaim or pod has reached, and the stages between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleet.kube.resources import PODS
from fleet.model.stage import Stage
from fleet.observe.marks import DELETED, Mark
from fleet.platforms.karpenter import names
from fleet.trace.quantity import parse

MIB = 1 << 20
Object = Mapping[str, Any]
CLAIM, POD = str(names.NODE_CLAIMS), str(PODS)
LAUNCHED, REGISTERED, INITIALIZED = "launched", "registered", "initialized"
DRIFTED, DISRUPTED = "drifted", "disrupted"
SIZED = "sized"
"""What a pod requests, or a node offers: CPUs and MiB."""
BOUND, RUNNING, DELETING = "bound", "running", "deleting"
CONDITIONS = {"Launched": LAUNCHED, "Registered": REGISTERED, "Initialized": INITIALIZED, "Drifted": DRIFTED}
"""Of a NodeClaim."""
WHY = "DisruptionReason"
"""Condition of a NodeClaim that Karpenter decided to disrupt; its reason says why."""

SCALE_OUT, CHANGE, DELETE = "scale-out", "change", "delete"
"""Steps of a trial."""
SETTLED = "settled"
"""Measured when the second phase was over: for how long nothing had changed."""


def of_claim(item: Object) -> Iterable[Mark]:
    """Its phases; the node with its registration; why it was disrupted."""
    status = item.get("status") or {}
    if offered := status.get("allocatable"):
        yield (SIZED, _size([offered]))
    for condition in status.get("conditions") or ():
        if condition.get("status") != "True":
            continue
        mark = CONDITIONS.get(condition["type"])
        if mark == REGISTERED:
            yield (REGISTERED, status.get("nodeName"))
        elif mark is not None:
            yield mark
        elif condition["type"] == WHY:
            yield (DISRUPTED, condition.get("reason"))
    yield from _deleting(item)


def of_pod(item: Object) -> Iterable[Mark]:
    """What it requests; bound to its node, running there."""
    spec = item.get("spec") or {}
    requests = [(one.get("resources") or {}).get("requests") or {} for one in spec.get("containers") or ()]
    yield (SIZED, _size(requests))
    if node := spec.get("nodeName"):
        yield (BOUND, node)
    if (item.get("status") or {}).get("phase") == "Running":
        yield RUNNING
    yield from _deleting(item)


def _size(lists: Sequence[Mapping[str, str]]) -> list[float]:
    """Their sums: CPUs, MiB."""
    cpu, memory = (sum(float(parse(one.get(name) or "0")) for one in lists) for name in ("cpu", "memory"))
    return [cpu, memory / MIB]


def _deleting(item: Object) -> Iterable[Mark]:
    if item["metadata"].get("deletionTimestamp"):
        yield DELETING


CREATION = (
    Stage(name="claim_launched", begin="created", end=LAUNCHED, resource=CLAIM, optional=True,
          text="NodeClaim seen to launched: the provider was called"),
    Stage(name="claim_registered", begin=LAUNCHED, end=REGISTERED, resource=CLAIM, optional=True,
          text="launched to registered: its Node is there"),
    Stage(name="claim_initialized", begin=REGISTERED, end=INITIALIZED, resource=CLAIM, optional=True,
          text="registered to initialized: the node is ready for pods"),
    Stage(name="claim_ready", begin="created", end=INITIALIZED, resource=CLAIM, optional=True,
          text="NodeClaim seen to initialized"),
)  # fmt: skip
SCHEDULING = (
    Stage(name="pod_pending", begin="created", end=BOUND, resource=POD,
          text="pod seen to bound: Karpenter's batch and decision, a node, kube-scheduler"),
    Stage(name="pod_started", begin="created", end=RUNNING, resource=POD, settles=True, text="pod seen to Running"),
)  # fmt: skip
SIMULATED = (
    Stage(name="pod_running", begin=BOUND, end=RUNNING, resource=POD, text="bound to Running: no delay was set"),
)
MONITORING = (
    Stage(name="claim_decided", begin=DRIFTED, end=DISRUPTED, resource=CLAIM, optional=True,
          text="NodeClaim drifted to the decision to replace it"),
)  # fmt: skip
CLEANING = (
    Stage(name="claim_replaced", begin=DISRUPTED, end=DELETING, resource=CLAIM, optional=True,
          text="decision to deletion of the NodeClaim: its replacements are awaited"),
    Stage(name="claim_deleted", begin=DELETING, end=DELETED, resource=CLAIM, optional=True,
          text="deletion of a NodeClaim seen to gone: its node is drained and removed"),
    Stage(name="pod_deleted", begin=DELETING, end=DELETED, resource=POD, optional=True,
          text="deletion of a pod seen to gone"),
)  # fmt: skip
STAGES = (*CREATION, *SCHEDULING, *SIMULATED, *MONITORING, *CLEANING)
