"""Gathers what `fleet status` shows: asks every API server, the ITS about registrations, this machine for programs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from fleet.cli.status_model import ClusterRow, MachineRow, ProgramRow, Status
from fleet.errors import KubeError
from fleet.host.supervise import ProgramState, Supervisor
from fleet.host.weigh import ProcessWeight, weigh_pids
from fleet.kube.client import KubeClient
from fleet.kube.resources import MANAGED_CLUSTERS, NODES
from fleet.spec.fleet_file import Cluster, Component, FleetFile, Machine

LOOK_SECONDS = 0.5
"""CPU is measured over at least this long: 50 ticks of the kernel's 10 ms accounting."""
ANSWER_SECONDS = 5.0
"""An API server that takes longer is told as not ready."""
AT_ONCE = 20
"""Clusters asked at the same time; more only queue on a machine of a few cores."""


Weights = Mapping[int, ProcessWeight]
"""By process id."""


def collect(fleet: FleetFile, file: Path) -> Status:
    """The status now; takes at least half a second. Raises SpecError for a kubeconfig that must not be used."""
    local = [machine for machine in fleet.machines if machine.connection == "local"]
    states = {machine.name: Supervisor(Path(machine.state_dir)).states() for machine in local}
    pids = [(state.name, state.pid) for machine in states.values() for state in machine if state.pid]
    began, before = time.monotonic(), _weigh(pids)
    clusters = asyncio.run(_ask_all(fleet))
    time.sleep(max(0.0, LOOK_SECONDS - (time.monotonic() - began)))
    ended, after = time.monotonic(), _weigh(pids)
    programs = []
    for machine in local:
        programs += _programs(fleet, machine, states[machine.name], (before, after), ended - began)
    return Status(
        fleet=fleet.name,
        file=str(file),
        created=fleet.created,
        toolchain=fleet.toolchain_digest.removeprefix("sha256:"),
        status_agent=f"{fleet.status_agent.implementation} {fleet.status_agent.version}",
        clusters=clusters,
        programs=sorted(programs, key=lambda row: (row.machine, row.name)),
        machines=[_memory(machine) for machine in fleet.machines],
        wec_nodes=fleet.wec_nodes,
    )


async def _ask_all(fleet: FleetFile) -> list[ClusterRow]:
    """One row per cluster: hub first, then WECs by name."""
    allowed = {machine.address for machine in fleet.machines}
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(cluster: Cluster, question: Callable[[KubeClient, Cluster], Awaitable[ClusterRow]]) -> ClusterRow:
        async with gate, _client(cluster, allowed) as client:
            return await question(client, cluster)

    ordered = [*fleet.of_role("its"), *fleet.of_role("wds"), *fleet.of_role("wec")]
    rows = await asyncio.gather(*(ask(cluster, _look) for cluster in ordered))
    registered = await _registrations(fleet, allowed)
    if registered is None:
        return list(rows)
    return [replace(r, registered=registered.get(r.name, "Absent")) if r.role == "wec" else r for r in rows]


def _client(cluster: Cluster, allowed: set[str]) -> KubeClient:
    return KubeClient.from_kubeconfig(
        cluster.kubeconfig, cluster=cluster.name, allowed=allowed, timeout=ANSWER_SECONDS, retry_seconds=0.0
    )


async def _look(client: KubeClient, cluster: Cluster) -> ClusterRow:
    row = ClusterRow(cluster.name, cluster.role, cluster.driver, cluster.machine, cluster.server, ready=False)
    if not await client.ready(ANSWER_SECONDS):
        return replace(row, problem="no answer from /readyz")
    if cluster.role != "wec":
        return replace(row, ready=True)
    try:
        nodes = await client.list_all(NODES)
    except KubeError as error:
        return replace(row, ready=True, problem=str(error))
    return replace(row, ready=True, nodes=len(nodes), nodes_ready=sum(_condition(n, "Ready") == "True" for n in nodes))


async def _registrations(fleet: FleetFile, allowed: set[str]) -> dict[str, str] | None:
    """The word for each ManagedCluster's registration by its name; None when no ITS answers."""
    found: dict[str, str] = {}
    for its in fleet.of_role("its"):
        async with _client(its, allowed) as client:
            try:
                items = await client.list_all(MANAGED_CLUSTERS)
            except KubeError:
                return None
        found |= {item["metadata"]["name"]: registration(item) for item in items}
    return found


def registration(managed: Mapping[str, Any]) -> str:
    """One word for a ManagedCluster: Available, Unavailable, Unknown, Joined, Accepted or Pending."""
    available = _condition(managed, "ManagedClusterConditionAvailable")
    if available:
        return {"True": "Available", "False": "Unavailable"}.get(available, "Unknown")
    if _condition(managed, "ManagedClusterJoined") == "True":
        return "Joined"
    return "Accepted" if _condition(managed, "HubAcceptedManagedCluster") == "True" else "Pending"


def _condition(item: Mapping[str, Any], name: str) -> str:
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((str(c.get("status", "")) for c in conditions if c.get("type") == name), "")


def _programs(
    fleet: FleetFile,
    machine: Machine,
    states: list[ProgramState],
    looks: tuple[Weights, Weights],
    seconds: float,
) -> list[ProgramRow]:
    """Rows of what the supervisor has, and of recorded programs that it lacks. `looks` are `seconds` apart."""
    recorded = {c.program: c for c in fleet.components if c.machine == machine.name}
    rows = []
    for state in states:
        row = _row(state.name, machine.name, recorded.get(state.name))
        row = replace(row, state=state.state, pid=state.pid, uptime=state.uptime)
        first, second = (look.get(state.pid) for look in looks)
        if first is not None and second is not None:
            cpu = (second.cpu_seconds - first.cpu_seconds) / seconds
            row = replace(row, cpu=cpu, pss=second.pss, fds=second.descriptors)
        rows.append(row)
    absent = recorded.keys() - {state.name for state in states}
    return rows + [replace(_row(name, machine.name, recorded[name]), state="ABSENT") for name in absent]


def _row(name: str, machine: str, component: Component | None) -> ProgramRow:
    if component is None:
        kind, _, cluster = name.partition(".")
        return ProgramRow(name, kind, cluster, machine, "")
    return ProgramRow(
        name, component.component, component.cluster, machine, "", version=component.version, argv=component.argv
    )


def _weigh(pids: Iterable[tuple[str, int]]) -> Weights:
    return {weight.pid: weight for weight in weigh_pids(pids)}


def _memory(machine: Machine) -> MachineRow:
    if machine.connection != "local":
        return MachineRow(machine.name, looked=False)
    memory = psutil.virtual_memory()
    return MachineRow(machine.name, looked=True, total=memory.total, available=memory.available)
