"""Gathers what `fleet status` shows: asks every API server, the hub about its members, the machines for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from fleet.cli.status_model import ClusterRow, MachineRow, ProgramRow, Status
from fleet.errors import FleetError, KubeError
from fleet.host.machine_state import Look, look, parse
from fleet.kube import cluster_client
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.resources import NODES
from fleet.managers import registry
from fleet.managers.manager import Manager, Registration
from fleet.model.build_progress import why_incomplete
from fleet.model.fleet_file import WEC, Cluster, Component, FleetFile, Machine
from fleet.remote.shell import FabricShell

LOOK_SECONDS = 0.5
"""CPU is measured over at least this long: 50 ticks of the kernel's 10 ms accounting."""
ANSWER_SECONDS = 5.0
"""An API server that takes longer is reported as not ready."""
AT_ONCE = 20
"""Clusters asked at the same time; more only queue on a machine of a few cores."""


def collect(fleet: FleetFile, file: Path) -> Status:
    """The status now; takes at least half a second. Raises SpecError for a kubeconfig that must not be used."""
    manager = registry.of(fleet)
    with ThreadPoolExecutor(max(1, len(fleet.machines))) as pool:
        looking = [pool.submit(_look_at, machine) for machine in fleet.machines]
        clusters = asyncio.run(_ask_all(fleet, manager))
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
        manager=", ".join(map(str, (fleet.manager, *fleet.platforms))),
        clusters=clusters,
        programs=sorted(programs, key=lambda row: (row.machine, row.name)),
        machines=machines,
        wec_nodes=fleet.wec_nodes,
        terms=terms(fleet, manager),
        incomplete=why_incomplete(file.absolute().parent) if fleet.state != "built" else "",
    )


def terms(fleet: FleetFile, manager: Manager) -> dict[str, str]:
    """What the manager calls the clusters of each role that it has."""
    record = manager.record(fleet)
    found = {fleet.manager.transport: record.term("transport"), fleet.manager.source: record.term("source")}
    return {role: term for role, term in {**found, WEC: record.term("wec")}.items() if role}


async def _ask_all(fleet: FleetFile, manager: Manager) -> list[ClusterRow]:
    """One row per cluster: hub first, then WECs by name."""
    allowed = {machine.address for machine in fleet.machines}
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(cluster: Cluster, question: Callable[[KubeClient, Cluster], Awaitable[ClusterRow]]) -> ClusterRow:
        async with gate, _client(cluster, allowed) as client:
            return await question(client, cluster)

    hub = fleet.hub()
    others = [
        cluster for cluster in fleet.clusters if cluster.role != WEC and cluster not in hub
    ]  # it is being changed
    rows = await asyncio.gather(*(ask(cluster, _look) for cluster in (*hub, *others, *fleet.wecs())))
    found = await _registrations(fleet, manager, allowed)
    return [_registered(row, found[row.name]) if row.name in found else row for row in rows]


def _registered(row: ClusterRow, found: Registration) -> ClusterRow:
    return replace(row, registered=found.word, unregistered=found.problem)


def _client(cluster: Cluster, allowed: set[str]) -> AbstractAsyncContextManager[KubeClient]:
    return cluster_client.opened(cluster, allowed, timeout=ANSWER_SECONDS, retry_seconds=0.0)


async def _look(client: KubeClient, cluster: Cluster) -> ClusterRow:
    row = ClusterRow(cluster.name, cluster.role, cluster.driver, cluster.machine, cluster.server, ready=False)
    if not await client.ready(ANSWER_SECONDS):
        return replace(row, problem="no answer from /readyz")
    if cluster.role != WEC or not cluster.built:  # whose nodes are not ours
        return replace(row, ready=True)
    try:
        nodes = await client.list_all(NODES)
    except KubeError as error:
        return replace(row, ready=True, problem=str(error))
    return replace(row, ready=True, nodes=len(nodes), nodes_ready=sum(condition(node, "Ready") for node in nodes))


async def _registrations(fleet: FleetFile, manager: Manager, allowed: set[str]) -> dict[str, Registration]:
    """How each WEC stands with the manager; empty where there is nothing to register at."""
    wecs = [wec.name for wec in fleet.wecs()]
    found: list[Mapping[str, Registration]] = []
    for transport in fleet.transports():
        async with _client(transport, allowed) as client:
            try:
                found.append(await manager.registrations(client, wecs))
            except KubeError:
                silent = Registration("?", f"its registration cannot be read: {transport.name} does not answer")
                return dict.fromkeys(wecs, silent)
    return everywhere(found)


def everywhere(found: Sequence[Mapping[str, Registration]]) -> dict[str, Registration]:
    """One per WEC of what each transport says: that of the first where something is wrong, else that of the first."""
    said = {name: [each[name] for each in found if name in each] for each in found for name in each}
    return {name: next((one for one in several if one.problem), several[0]) for name, several in said.items()}


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
