"""Gathers what `fleet status` shows: asks every API server, the ITS about registrations, this machine for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.cli.status_model import ClusterRow, MachineRow, ProgramRow, Status
from fleet.errors import FleetError, KubeError
from fleet.host.machine_state import Look, look, parse
from fleet.kube import cluster_client
from fleet.kube.client import KubeClient
from fleet.kube.resources import MANAGED_CLUSTERS, NODES
from fleet.model.build_progress import why_incomplete
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine
from fleet.remote.shell import FabricShell

LOOK_SECONDS = 0.5
"""CPU is measured over at least this long: 50 ticks of the kernel's 10 ms accounting."""
ANSWER_SECONDS = 5.0
"""An API server that takes longer is told as not ready."""
AVAILABLE, ABSENT = "Available", "Absent"
"""Of a registration: as it should be; the ITS knows no such WEC."""
AT_ONCE = 20
"""Clusters asked at the same time; more only queue on a machine of a few cores."""


def collect(fleet: FleetFile, file: Path) -> Status:
    """The status now; takes at least half a second. Raises SpecError for a kubeconfig that must not be used."""
    with ThreadPoolExecutor(max(1, len(fleet.machines))) as pool:
        looking = [pool.submit(_look_at, machine) for machine in fleet.machines]
        clusters = asyncio.run(_ask_all(fleet))
        looks = [future.result() for future in looking]
    programs, machines = [], []
    for machine, seen in zip(fleet.machines, looks, strict=True):
        if isinstance(seen, Look):
            programs += _programs(fleet, machine, seen)
            machines.append(MachineRow(machine.name, looked=True, total=seen.total, available=seen.available))
        else:
            machines.append(MachineRow(machine.name, looked=False, problem=seen))
    return Status(
        fleet=fleet.name,
        file=str(file),
        created=fleet.created,
        toolchain=fleet.toolchain_digest.removeprefix("sha256:"),
        manager=str(fleet.manager),
        clusters=clusters,
        programs=sorted(programs, key=lambda row: (row.machine, row.name)),
        machines=machines,
        wec_nodes=fleet.wec_nodes,
        incomplete=why_incomplete(file.absolute().parent) if fleet.state != "built" else "",
    )


async def _ask_all(fleet: FleetFile) -> list[ClusterRow]:
    """One row per cluster: hub first, then WECs by name."""
    allowed = {machine.address for machine in fleet.machines}
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(cluster: Cluster, question: Callable[[KubeClient, Cluster], Awaitable[ClusterRow]]) -> ClusterRow:
        async with gate, _client(cluster, allowed) as client:
            return await question(client, cluster)

    ordered = [*fleet.of_role("its"), *fleet.of_role("wds"), *fleet.wecs()]
    rows = await asyncio.gather(*(ask(cluster, _look) for cluster in ordered))
    registered = await _registrations(fleet, allowed)
    if registered is None:
        return list(rows)
    return [replace(r, registered=registered.get(r.name, ABSENT)) if r.role == "wec" else r for r in rows]


def _client(cluster: Cluster, allowed: set[str]) -> AbstractAsyncContextManager[KubeClient]:
    return cluster_client.opened(cluster, allowed, timeout=ANSWER_SECONDS, retry_seconds=0.0)


async def _look(client: KubeClient, cluster: Cluster) -> ClusterRow:
    row = ClusterRow(cluster.name, cluster.role, cluster.driver, cluster.machine, cluster.server, ready=False)
    if not await client.ready(ANSWER_SECONDS):
        return replace(row, problem="no answer from /readyz")
    if cluster.role != "wec" or cluster.driver == cluster_client.EXISTING:  # whose nodes are not ours
        return replace(row, ready=True)
    try:
        nodes = await client.list_all(NODES)
    except KubeError as error:
        return replace(row, ready=True, problem=str(error))
    return replace(row, ready=True, nodes=len(nodes), nodes_ready=sum(_condition(n, "Ready") == "True" for n in nodes))


async def _registrations(fleet: FleetFile, allowed: set[str]) -> dict[str, str] | None:
    """The word for each ManagedCluster's registration by its name; None when an ITS does not answer."""
    found: list[dict[str, str]] = []
    for its in fleet.of_role("its"):
        async with _client(its, allowed) as client:
            try:
                items = await client.list_all(MANAGED_CLUSTERS)
            except KubeError:
                return None
        found.append({item["metadata"]["name"]: registration(item) for item in items})
    return everywhere(found)


def everywhere(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One word per WEC of what each ITS told: Available when it is at each, else that of the first where it is not."""
    words = {name: [told.get(name, ABSENT) for told in found] for told in found for name in told}
    return {name: next((word for word in said if word != AVAILABLE), AVAILABLE) for name, said in words.items()}


def registration(managed: Mapping[str, Any]) -> str:
    """One word for a ManagedCluster: Available, Unavailable, Unknown, Joined, Accepted or Pending."""
    available = _condition(managed, "ManagedClusterConditionAvailable")
    if available:
        return {"True": AVAILABLE, "False": "Unavailable"}.get(available, "Unknown")
    if _condition(managed, "ManagedClusterJoined") == "True":
        return "Joined"
    return "Accepted" if _condition(managed, "HubAcceptedManagedCluster") == "True" else "Pending"


def _condition(item: Mapping[str, Any], name: str) -> str:
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((str(c.get("status", "")) for c in conditions if c.get("type") == name), "")


def _look_at(machine: Machine) -> Look | str:
    """A look at one machine, there; why there is none when it does not answer."""
    try:
        if machine.connection == "local":
            return look(Path(machine.state_dir), LOOK_SECONDS)
        with FabricShell(machine) as shell:
            return parse(
                shell.run([machine.python, "-m", "fleet.host.machine_state", machine.state_dir, str(LOOK_SECONDS)])
            )
    except FleetError as error:
        return str(error)


def _programs(fleet: FleetFile, machine: Machine, seen: Look) -> list[ProgramRow]:
    """Rows of what the supervisor has, and of recorded programs that it lacks."""
    states, seconds = seen.states, seen.seconds
    looks = tuple({weight.pid: weight for weight in weights} for weights in (seen.first, seen.second))
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
