"""Which marks a version of a pod has reached, and the stages between them."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.kube.conditions import condition
from fleet.kube.resources import PODS
from fleet.model.pod_marks import SCHEDULED
from fleet.model.stage import Stage
from fleet.observe.marks import Mark, Object

POD = str(PODS)
READY = "ready"
CREATE, LOAD, DRAIN = "create", "load", "drain"
"""Steps of a trial: pods are made before the scheduler runs; it binds them; they become ready."""


def of_pod(pod: Object) -> Iterator[Mark]:
    """Bound to a node, ready."""
    node = (pod.get("spec") or {}).get("nodeName")
    if node:
        yield SCHEDULED, node
    if condition(pod, "Ready"):
        yield READY


CREATION = (
    Stage(name="create", begin="sent", end="answered", resource=POD, optional=True,
          text="a creation sent, answered by the API server"),
)  # fmt: skip
PENDING = Stage(
    name="pending", begin="created", end=SCHEDULED, resource=POD, settles=True,
    text="pod and scheduler both there, to bound (of a scheduler that is started after the pods: its start to bound)",
)  # fmt: skip
START = Stage(name="start", begin=SCHEDULED, end=READY, resource=POD, text="bound to ready: what plays the nodes")
STAGES = (*CREATION, PENDING, START)
