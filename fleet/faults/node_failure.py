"""The fault `node-failure`: nodes of a WEC fall silent: nobody renews their Lease.

A node's Lease is taken over. A simulator that shares nodes between instances does not renew one that another holds, and
the control plane's own node lifecycle controller does the rest: without a renewal within its grace period the node is
not ready, gets taints, and its pods are not ready. A kubelet holds its Lease in the node's name and never lets go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import Field

from fleet.errors import DeadlineError
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.faults.targets import of_planes, plane_of
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.errors import NotFound
from fleet.kube.resources import LEASES, NODES, PODS
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

NAMESPACE = "kube-node-lease"
HOLDER = "fleet-fault"
HELD_SECONDS = 24 * 3600
"""Longer than any fault: nobody takes the Lease back before it is healed."""
Result = TypeVar("Result")
BACK_SECONDS = 180.0
"""For a Lease that is held by who plays the node, and a node that is Ready."""
POLL = 0.2
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""Label of a node for a system's own pods."""


class NodeFailureSettings(Model):
    """Of `node-failure`."""

    nodes: int = Field(default=1, ge=1)
    """How many, the first by name."""


class NodeFailure(Plain):
    """See `Fault`."""

    name = "node-failure"
    settings = NodeFailureSettings

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one control plane
        """See `Fault`. The control plane goes on answering: nothing of it is taken away."""
        (aim,) = of_planes(wanted, [plane_of(wanted, fleet)], fleet)
        return [aim.model_copy(update={"clusters": [], "programs": []})]

    def refuse(self, aim: Aim, root: Path) -> str:
        """See `Fault`."""
        wanted, found = _of(aim).nodes, asyncio.run(_alone(aim, root, _failing))
        if len(found) >= wanted:
            return ""
        return (
            f"{aim.planes[0]} has {len(found)} ready nodes whose Lease another may take, and {wanted} shall fail"
            " (kubelets hold their own: `pause` the program of such nodes)"
        )

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""

        async def take(client: KubeClient) -> None:
            names = (await _failing(client))[: _of(aim).nodes]
            private_directory(kept(root, aim))
            write_private(kept(root, aim) / "nodes.json", orjson.dumps(names))
            for name in names:
                await _hold(client, name, HOLDER)

        asyncio.run(_alone(aim, root, take))

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        file = kept(root, aim) / "nodes.json"
        if not file.exists():
            return
        names: list[str] = orjson.loads(file.read_bytes())

        async def give_back(client: KubeClient) -> None:
            for name in names:
                if await _holder(client, name) == HOLDER:
                    await _hold(client, name, None)
            end = time.monotonic() + BACK_SECONDS
            while left := [name for name in names if not await _back(client, name)]:
                if time.monotonic() > end:
                    raise DeadlineError(f"{client.cluster}: node {left[0]} was not Ready within {BACK_SECONDS:g} s")
                await asyncio.sleep(POLL)
            for name in names:
                await _report_pods(client, name)

        asyncio.run(_alone(aim, root, give_back))


async def _alone(aim: Aim, root: Path, work: Callable[[KubeClient], Awaitable[Result]]) -> Result:
    """`work` with a client of the control plane."""
    async with dial.client(Layout(root), aim.planes[0]) as client:
        return await work(client)


async def _failing(client: KubeClient) -> list[str]:
    """Names of ready nodes that are played in another's name, sorted; those for a system's own pods are not among
    them."""
    leases = {lease["metadata"]["name"]: _held_by(lease) for lease in await client.list_all(LEASES, NAMESPACE)}
    return sorted(
        name
        for node in await client.list_all(NODES)
        if (holder := leases.get(name := str(node["metadata"]["name"])))
        and holder not in (name, HOLDER)
        and CONTROL_PLANE not in (node["metadata"].get("labels") or {})
        and condition(node, "Ready")
    )


async def _hold(client: KubeClient, name: str, holder: str | None) -> None:
    """The Lease renewed now, in that name; None: in nobody's, so that who plays the node takes it, and plays again all
    that came meanwhile."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    held = {"holderIdentity": holder, "leaseDurationSeconds": HELD_SECONDS, "renewTime": now}
    spec = held if holder is not None else dict.fromkeys(held)
    await client.patch(LEASES, name, {"spec": spec}, NAMESPACE)


async def _holder(client: KubeClient, name: str) -> str:
    try:
        return _held_by(await client.get(LEASES, name, NAMESPACE))
    except NotFound:  # its node was deleted
        return ""


async def _back(client: KubeClient, name: str) -> bool:
    try:
        node = await client.get(NODES, name)
    except NotFound:
        return True
    return condition(node, "Ready") and await _holder(client, name) not in ("", HOLDER)


async def _report_pods(client: KubeClient, node: str) -> None:
    """What a kubelet does when it is back, and a simulator does not: its running pods are ready again."""
    for pod in await client.list_all(PODS, field_selector=f"spec.nodeName={node}"):
        meta, status = pod["metadata"], pod.get("status") or {}
        if status.get("phase") != "Running" or meta.get("deletionTimestamp") or condition(pod, "Ready"):
            continue
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = [{"type": "Ready", "status": "True", "lastTransitionTime": now}]
        try:
            await client.patch(
                PODS, meta["name"], {"status": {"conditions": ready}}, meta["namespace"], type="strategic",
                subresource="status",
            )  # fmt: skip
        except NotFound:
            continue


def _held_by(lease: Mapping[str, Any]) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _of(aim: Aim) -> NodeFailureSettings:
    return NodeFailureSettings.model_validate(aim.settings)
