"""Which marks a version of a VMI, VM or virt-launcher pod has reached, and the stages between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.kube.resources import NODES, PODS
from fleet.model.stage import READY_AGAIN, UNREADY, Stage
from fleet.observe.marks import DELETED, Health, Mark
from fleet.platforms.kubevirt import names

Object = Mapping[str, Any]
VMI, VM, POD, NODE = str(names.VMIS), str(names.VMS), str(PODS), str(NODES)
PHASES = ("Pending", "Scheduling", "Scheduled", "Running")
"""Of a VMI, in their order."""
FAILED, DELETING, RUNNING, READY, BOUND = "failed", "deleting", "running", "ready", "bound"


def of_vmi(item: Object) -> Iterable[Mark]:
    """Its phases, the node with the last two; a version that skipped one has reached it too."""
    status = item.get("status") or {}
    phase = str(status.get("phase") or "")
    if phase in PHASES:
        for each in PHASES[: PHASES.index(phase) + 1]:
            yield (each.lower(), status.get("nodeName")) if each in PHASES[2:] else each.lower()
    if phase == "Failed" and not item["metadata"].get("deletionTimestamp"):  # one that is deleted ends so too
        yield FAILED
    yield from _deleting(item)


class VmiMarks:
    """Of one watch of VMIs: their phases, and whether one that was ready is not, and is again."""

    def __init__(self) -> None:
        self._health = Health()

    def __call__(self, item: Object) -> Iterable[Mark]:
        """The marks that this version has reached."""
        yield from of_vmi(item)
        yield from self._health.of(item)


def of_vm(item: Object) -> Iterable[Mark]:
    """Whether its status says that it runs, and that it is ready."""
    status = item.get("status") or {}
    if status.get("printableStatus") == "Running":
        yield RUNNING
    if status.get("ready"):
        yield READY
    yield from _deleting(item)


def of_pod(item: Object) -> Iterable[Mark]:
    """Bound to its node, running there."""
    node = (item.get("spec") or {}).get("nodeName")
    if node:
        yield (BOUND, node)
    if (item.get("status") or {}).get("phase") == "Running":
        yield RUNNING
    yield from _deleting(item)


def _deleting(item: Object) -> Iterable[Mark]:
    if item["metadata"].get("deletionTimestamp"):
        yield DELETING


CREATION = (
    Stage(name="vmi_accepted", begin="sent", end="answered", resource=VMI, optional=True,
          text="request to answer: virt-api's webhooks and the write"),
    Stage(name="vm_accepted", begin="sent", end="answered", resource=VM, optional=True,
          text="request to answer: virt-api's webhooks and the write"),
    Stage(name="vmi_pending", begin="created", end="pending", resource=VMI,
          text="VMI seen to Pending: virt-controller has taken it up"),
    Stage(name="vmi_scheduling", begin="pending", end="scheduling", resource=VMI,
          text="Pending to Scheduling: its virt-launcher pod is made"),
    Stage(name="vmi_scheduled", begin="scheduling", end="scheduled", resource=VMI,
          text="Scheduling to Scheduled: the pod runs, the VMI is handed to its node"),
    Stage(name="vmi_running", begin="created", end="running", resource=VMI, settles=True,
          text="VMI seen to Running: what KubeVirt's own metric reports in whole seconds"),
    Stage(name="vmi_due_running", begin="due", end="running", resource=VMI, optional=True,
          text="the moment when it was to be created to Running"),
    Stage(name="vm_running", begin="created", end=RUNNING, resource=VM, optional=True, settles=True,
          text="VM seen to status Running"),
    Stage(name="vm_due_running", begin="due", end=RUNNING, resource=VM, optional=True,
          text="the moment when it was to be created to status Running"),
)  # fmt: skip
SCHEDULING = (
    Stage(name="pod_bound", begin="created", end=BOUND, resource=POD, text="pod seen to bound: kube-scheduler"),
)
SIMULATED = (
    Stage(name="pod_running", begin=BOUND, end=RUNNING, resource=POD, text="pod bound to Running: kwok, no delay set"),
    Stage(name="vmi_played", begin="scheduled", end="running", resource=VMI,
          text="Scheduled to Running: kwok in virt-handler's place, no delay set"),
)  # fmt: skip
HEALTH = (
    Stage(name="node_unready", begin=UNREADY, end=READY_AGAIN, resource=NODE, optional=True,
          text="node seen not ready to ready again"),
    Stage(name="vmi_unready", begin=UNREADY, end=READY_AGAIN, resource=VMI, optional=True, settles=True,
          text="VMI that ran seen not ready to ready again"),
)  # fmt: skip
CLEANING = (
    Stage(name="vmi_deleted", begin=DELETING, end=DELETED, resource=VMI, optional=True,
          text="deletion seen to gone"),
    Stage(name="vm_deleted", begin=DELETING, end=DELETED, resource=VM, optional=True, text="deletion seen to gone"),
    Stage(name="pod_deleted", begin=DELETING, end=DELETED, resource=POD, optional=True, text="deletion seen to gone"),
)  # fmt: skip
STAGES = (*CREATION, *SCHEDULING, *SIMULATED, *HEALTH, *CLEANING)
READY_STAGE = Stage(
    name="vm_told", begin=RUNNING, end=READY, text="VMI Running to the VM's status ready: how soon a change is seen"
)
"""Between two objects, so the analysis makes its samples."""
