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
from fleet.host.drivers.kind.config import container_name
from fleet.host.drivers.kind.engine import Engine, read_record
from fleet.host.drivers.kind.engine import run as run_program
from fleet.host.layout import Layout
from fleet.host.process_stats import weigh_pids
from fleet.host.supervise import Supervisor
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.model.fleet_file import Cluster, FleetFile
from fleet.observe.processes import programs
from fleet.simulators.node_objects import NODE_LABEL

REAL = "real"
SIMULATED = ("kwok", "hollow")
LEASE_NAMESPACE = "kube-node-lease"
POLL_SECONDS = 1.0
COMMAND_SECONDS = 60.0


@dataclass(frozen=True)
class Sort:
    """The nodes of one kind in a WEC."""

    name: str
    """`kwok`, `hollow` or `real`."""
    programs: tuple[str, ...]
    """What plays them on the WEC's machine; of a real one its kubelet and container runtime."""

    @property
    def selector(self) -> str:
        """Label selector of its Node objects."""
        return f"!{NODE_LABEL}" if self.name == REAL else f"{NODE_LABEL}={self.name}"

    def placing(self) -> dict[str, Any]:
        """What in a pod's spec puts it on these nodes and no others."""
        if self.name != REAL:
            return {"nodeSelector": {NODE_LABEL: self.name}}
        term = {"matchExpressions": [{"key": NODE_LABEL, "operator": "DoesNotExist"}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        return {"affinity": {"nodeAffinity": required}, "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]}


def sorts_of(fleet: FleetFile) -> tuple[Cluster, list[Sort]]:
    """The WEC that is looked at, and its sorts. UsageError where they cannot be told apart by stopping them."""
    wec = next(iter(fleet.wecs()), None)
    if wec is None or not wec.built or fleet.machine(wec.machine).connection != "local":
        raise UsageError(
            "node-fidelity stops and starts nodes of a WEC on this machine, which this fleet does not have"
        )
    if wec.driver == "dense":
        raise UsageError(
            "node-fidelity weighs an API server by itself, and the driver dense runs a whole control plane in one"
            " process: fleet up -e control_plane_driver=process (or kind, which has a real node too)"
        )
    if fleet.variables.get("wec_programs") == "shared":
        raise UsageError("node-fidelity stops kwok of one WEC: fleet up -e wec_programs=own")
    found = []
    for name in SIMULATED:
        mine = [entry.program for entry in fleet.components if (entry.component, entry.cluster) == (name, wec.name)]
        if mine:
            found.append(Sort(name, tuple(sorted(mine))))
    if wec.driver == "kind":
        found.append(Sort(REAL, (f"kubelet.{wec.name}", f"containerd.{wec.name}")))
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
        self._container = container_name(fleet.name, wec.name) if wec.driver == "kind" else ""
        self._sorts = sorts
        self._client = client

    async def only(self, sort: Sort | None, seconds: float) -> int:
        """The nodes of that sort run, and no others; how many. DeadlineError when they are not Ready in time."""
        for other in self._sorts:
            if other != sort:
                await asyncio.to_thread(self._stop, other)
        return await self._woken(sort, seconds) if sort is not None else 0

    async def all(self, seconds: float) -> None:
        """As the fleet was before."""
        for sort in self._sorts:
            await self._woken(sort, seconds)

    def work(self, sort: Sort) -> Work:
        """Blocking: it reads /proc."""
        running = programs(self._root)()
        found = weigh_pids([(name, running[name]) for name in sort.programs if name in running])
        return Work(sum(one.cpu_seconds for one in found), sum(one.pss for one in found))

    async def _woken(self, sort: Sort, seconds: float) -> int:
        since = datetime.now(UTC)
        await asyncio.to_thread(self._start, sort)
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
            self._systemctl("stop")
            return
        for program in sort.programs:
            Supervisor(self._root).stop(program)

    def _start(self, sort: Sort) -> None:
        if sort.name == REAL:
            self._systemctl("start")
            return
        for program in sort.programs:
            Supervisor(self._root).start(program)

    def _systemctl(self, verb: str) -> None:
        """Of the kubelet in a kind node; what it has started runs on without it."""
        layout = Layout(self._root)
        record = read_record(layout)
        if record is None:
            raise UsageError(f"{layout.engine} tells of no container engine: build the fleet again")
        engine = Engine(layout, record, run_program)
        engine.docker("exec", self._container, "systemctl", verb, "kubelet", seconds=COMMAND_SECONDS)


def is_ready(node: Mapping[str, Any]) -> bool:
    """By its condition, which stays for 40 s after the last that was heard of it."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def renewal(lease: Mapping[str, Any]) -> datetime:
    """When it was renewed last."""
    return datetime.fromisoformat(lease["spec"]["renewTime"])
