"""The sorts of nodes that one WEC has, and how the nodes of a sort are put to sleep and woken up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.errors import DeadlineError, UsageError
from fleet.host.drivers.driver import driver_kind
from fleet.host.layout import Layout
from fleet.host.pods import PodProgram, pod_programs
from fleet.host.process_stats import weigh_pids
from fleet.host.supervise import Supervisor
from fleet.install.control_planes import machine_at
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.model.fleet_file import Cluster, FleetFile
from fleet.observe.processes import programs
from fleet.simulators.node_objects import NODE_LABEL
from fleet.simulators.simulator import simulator

REAL = "real"
OWN_PROCESS = "kube-apiserver"
"""The component that an API server is whose process is its own."""
LEASE_NAMESPACE = "kube-node-lease"
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Sort:
    """The nodes of one kind in a WEC."""

    name: str
    """Of its simulator, or `real`."""
    value: str
    """Of the label on its nodes; a real one does not have the label."""
    programs: tuple[str, ...]
    """What plays them on the WEC's machine; of a real one its kubelet and container runtime."""
    pods: tuple[PodProgram, ...] = ()
    """Those programs where they are pods of the real node."""

    @property
    def selector(self) -> str:
        """Label selector of its Node objects."""
        return f"!{NODE_LABEL}" if self.name == REAL else f"{NODE_LABEL}={self.value}"

    def has(self, node: Mapping[str, Any]) -> bool:
        """Whether a Node object is one of them."""
        value = (node["metadata"].get("labels") or {}).get(NODE_LABEL)
        return value is None if self.name == REAL else value == self.value

    def placing(self) -> dict[str, Any]:
        """What in a pod's spec puts it on these nodes and no others."""
        if self.name != REAL:
            return {"nodeSelector": {NODE_LABEL: self.value}}
        term = {"matchExpressions": [{"key": NODE_LABEL, "operator": "DoesNotExist"}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        return {"affinity": {"nodeAffinity": required}, "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]}


def sorts_of(fleet: FleetFile) -> tuple[Cluster, list[Sort]]:
    """The WEC that is looked at, and its sorts. UsageError where they cannot be distinguished by stopping them."""
    wec = next(iter(fleet.wecs()), None)
    if wec is None or not wec.built or fleet.machine(wec.machine).connection != "local":
        raise UsageError(
            "node-fidelity stops and starts nodes of a WEC on this machine, which this fleet does not have"
        )
    driver = driver_kind(wec.driver)
    if driver.serves != OWN_PROCESS:
        raise UsageError(
            f"node-fidelity measures an API server by itself, and the driver {wec.driver} runs a whole control plane in"
            " one process: fleet up -e control_plane_driver=process (or kind, which has a real node too)"
        )
    if fleet.variables.get("wec_programs") == "shared":
        raise UsageError("node-fidelity stops the nodes of one WEC: fleet up -e wec_programs=own")
    found = []
    inside = pod_programs(Layout(Path(fleet.machine(wec.machine).state_dir)), wec.name)
    for name in simulator(fleet.node_simulator).parts:
        mine = [entry.program for entry in fleet.components if (entry.component, entry.cluster) == (name, wec.name)]
        pods = tuple(pod for pod in inside if pod.component == name)
        mine += [pod.program for pod in pods]
        if mine:
            found.append(Sort(name, simulator(name).value, tuple(sorted(mine)), pods))
    if driver.kubelet is not None:
        found.append(Sort(REAL, "", (f"kubelet.{wec.name}", f"containerd.{wec.name}")))
    if not found:
        raise UsageError(f"no node of this fleet plays pods (node_simulator: {fleet.node_simulator})")
    return wec, found


@dataclass(frozen=True)
class Work:
    """What the programs of a sort have used of the machine until now: CPU seconds, bytes (PSS)."""

    cpu: float
    memory: float


class Nodes:
    """The nodes of one WEC: which sorts run."""

    def __init__(self, fleet: FleetFile, wec: Cluster, sorts: Sequence[Sort], client: KubeClient) -> None:
        self._root = Path(fleet.machine(wec.machine).state_dir)
        self._fleet = fleet.name
        self._wec = wec.name
        self._kubelet = driver_kind(wec.driver).kubelet
        self._sorts = sorts
        self._client = client

    async def only(self, sort: Sort | None, seconds: float) -> int:
        """The nodes of that sort run, and no others; how many. DeadlineError when they are not Ready in time.

        Pods end and begin by the kubelet of the real node, which is stopped after that: its containers run on.
        """
        inside = [other for other in self._sorts if other.pods]
        if inside:
            await asyncio.to_thread(self._switch, on=True)
        for other in inside:
            if other != sort:
                await self._scale(other, 0)
                await self._ended(other, seconds)
        for other in self._sorts:
            if other != sort and not other.pods and (other.name != REAL or sort not in inside):
                await asyncio.to_thread(self._stop, other)
        if sort is None:
            return 0
        count = await self._woken(sort, seconds)
        if sort in inside:
            await asyncio.to_thread(self._switch, on=False)
        return count

    async def rest(self, awake: Sort | None, quiet: float, seconds: float) -> bool:
        """Until nodes of other sorts are no longer Ready, and no node's state or taints have changed for `quiet`
        seconds; False when they still do after `seconds`.

        The node controller notices after 40 s that a node has gone, and taints those that have one by one, 10 s apart
        (`--node-eviction-rate`): requests that no node makes, which must not be in a window.
        """
        others = [sort for sort in self._sorts if sort != awake]
        deadline, since, known = time.monotonic() + seconds, time.monotonic(), frozenset[Any]()
        while True:
            nodes = await self._client.list_all(resources.NODES)
            state = frozenset(_state(node) for node in nodes)
            if state != known:
                known, since = state, time.monotonic()
            asleep = not any(is_ready(node) for node in nodes for sort in others if sort.has(node))
            if asleep and time.monotonic() - since >= quiet:
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(min(POLL_SECONDS, max(quiet, 0.1)))

    async def all(self) -> None:
        """As the fleet was before: everything is started, and nothing waited for."""
        for sort in self._sorts:
            await self._start(sort)

    def work(self, sort: Sort) -> Work:
        """Blocking: it reads /proc."""
        running = programs(self._root)()
        found = weigh_pids([(name, running[name]) for name in sort.programs if name in running])
        return Work(sum(one.cpu_seconds for one in found), sum(one.pss for one in found))

    async def _woken(self, sort: Sort, seconds: float) -> int:
        since = datetime.now(UTC)
        await self._start(sort)
        deadline = time.monotonic() + seconds
        while True:
            nodes = await self._client.list_all(resources.NODES, label_selector=sort.selector)
            leases = await self._client.list_all(resources.LEASES, LEASE_NAMESPACE)
            renewed = {lease["metadata"]["name"] for lease in leases if renewal(lease) > since}
            ready = sum(node["metadata"]["name"] in renewed and is_ready(node) for node in nodes)
            if nodes and ready == len(nodes):
                return ready
            if time.monotonic() > deadline:
                raise DeadlineError(f"{ready} of {len(nodes)} {sort.name} nodes were Ready within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    def _stop(self, sort: Sort) -> None:
        if sort.name == REAL:
            self._switch(on=False)
            return
        for program in sort.programs:
            Supervisor(self._root).stop(program)

    async def _start(self, sort: Sort) -> None:
        if sort.pods:
            await self._scale(sort, 1)
        elif sort.name == REAL:
            await asyncio.to_thread(self._switch, on=True)
        else:
            for program in sort.programs:
                await asyncio.to_thread(Supervisor(self._root).start, program)

    async def _scale(self, sort: Sort, replicas: int) -> None:
        for pod in sort.pods:
            body = {"spec": {"replicas": replicas}}
            await self._client.patch(resources.DEPLOYMENTS, pod.deployment, body, pod.namespace)

    async def _ended(self, sort: Sort, seconds: float) -> None:
        """Until its pods are gone, and with them their connections."""
        deadline = time.monotonic() + seconds
        for namespace in {pod.namespace for pod in sort.pods}:
            while there := len(await self._client.list_all(resources.PODS, namespace)):
                if time.monotonic() > deadline:
                    raise DeadlineError(f"{there} pods of {sort.name} nodes had not ended within {seconds:.0f} s")
                await asyncio.sleep(POLL_SECONDS)

    def _switch(self, *, on: bool) -> None:
        if self._kubelet is not None:
            self._kubelet(machine_at(self._fleet, self._root), self._wec, on)


def is_ready(node: Mapping[str, Any]) -> bool:
    """By its condition, which stays for 40 s after the last that was heard of it."""
    return condition(node, "Ready")


def _state(node: Mapping[str, Any]) -> tuple[str, bool, frozenset[str]]:
    """Name, readiness and taints."""
    taints = (node.get("spec") or {}).get("taints") or []
    marks = frozenset(f"{taint.get('key')}:{taint.get('effect')}" for taint in taints)
    return node["metadata"]["name"], is_ready(node), marks


def renewal(lease: Mapping[str, Any]) -> datetime:
    """When it was renewed last."""
    return datetime.fromisoformat(lease["spec"]["renewTime"])
