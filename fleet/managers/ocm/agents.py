"""The OCM agents of one machine at one hub, and what runs alongside them: exactly the given WECs are registered there,
the rest has left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory, remove_tree
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.supervise import Staged
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.crds import read_crds
from fleet.install.objects import Ledger
from fleet.install.program_parts import Upstream
from fleet.kube.client import KubeClient
from fleet.kube.resources import CSRS
from fleet.managers.ocm import names, serving, spoke
from fleet.managers.ocm.access import GivenAccess, HubAccess, LinkedAccess, OwnAccess, own_endpoint
from fleet.managers.ocm.admission import Member
from fleet.managers.ocm.companion import Companion
from fleet.managers.ocm.credentials import MOVED, ORPHANED, Credentials
from fleet.managers.ocm.join import Join, JoinOptions, look
from fleet.managers.ocm.leave import Leave, LeaveOptions
from fleet.managers.ocm.programs import AGENT_PORTS, AgentFiles, AgentPrograms

SPOKE_CRDS = ("appliedmanifestworks", "clusterclaims")
PREPARE_PARALLELISM = 8
PROBE_SECONDS = 15.0
"""For a WEC's API server that is slow; one that is gone refuses at once."""
HUB_SECONDS, HUB_RETRY_SECONDS = 60.0, 300.0
"""A hub that a hundred agents start alongside answers late on a small machine; it is not gone."""


@dataclass(frozen=True)
class AgentsSpec:
    """What the agents of one machine are made of."""

    machine: Machine
    upstream: Upstream
    wecs: tuple[str, ...]
    """All WECs of this machine that are to be registered, and no others."""
    hub: str = ""
    """Name of its control plane."""
    seat: str = ""
    """Of a further hub its name: files and programs are called after it (fleet.managers.ocm.names.at)."""
    hub_kubeconfig: Path | None = None
    """Admin kubeconfig of the hub; by default that of the control plane `its` on this machine."""
    hub_server: str = ""
    """URL by which agents reach the hub; by default the one of the admin kubeconfig."""
    link_server: str = ""
    """URL of this machine's link to the hub, which the agents dial instead; empty when there is none."""
    access: GivenAccess | None = None
    """What the hub made for this machine; None on the hub's own. `hub_kubeconfig` is then the registrar's."""
    machine_name: str = ""
    """As the inventory has it; written at the hub, so that it knows where each WEC is."""
    programs: AgentPrograms | None = None
    beside: tuple[Companion, ...] = ()
    """What runs alongside the agents, for all of them."""
    join: JoinOptions = field(default_factory=JoinOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)

    @property
    def layout(self) -> Layout:
        """The machine's folder."""
        return self.machine.layout

    @property
    def admin(self) -> Path:
        """The hub's admin kubeconfig."""
        return self.hub_kubeconfig or self.layout.kubeconfig(self.hub)

    @property
    def group(self) -> str:
        """The supervisor's group of all of them."""
        return names.agents_group(self.seat)

    def beside_names(self) -> list[str]:
        """The programs alongside the agents and those that carry them, under the supervisor."""
        return [*self.host_names(self.wecs), *(name for companion in self.beside for name in companion.names())]

    def host_names(self, wecs: Sequence[str]) -> list[str]:
        """The hosts of those WECs' agents, whether agents are in hosts now or were."""
        return self.agent_programs().hosting(self.seat).names(wecs)

    def agent_programs(self) -> AgentPrograms:
        """How agents are started."""
        return self.programs or AgentPrograms(self.layout, self.upstream)

    def files(self, wec: str) -> AgentFiles:
        """The folder of that WEC's agent."""
        return AgentFiles.of(self.layout, wec, self.seat)

    def program(self, wec: str) -> str:
        """That WEC's agent under the supervisor; also who owns its port."""
        return names.agent_program(wec, self.seat)


def registered(layout: Layout, seat: str = "") -> list[str]:
    """WECs with an agent's folder on this machine: it is made first and removed last, so half-made ones are found."""
    return sorted(path.name for path in (layout.root / names.agents_group(seat)).glob("*") if path.is_dir())


def converge_agents(spec: AgentsSpec) -> Change:
    """Register the given WECs, take out the others, and make what runs alongside the agents follow.

    Killed at any moment, the next call repairs. UsageError when a WEC or the hub is not there; DeadlineError names the
    WECs that did not register in time (the others did).
    """
    spec.agent_programs().extra.check("ocm_agent_extra_args")
    if spec.machine.check:
        return _check(spec)
    _require(spec)
    gone = [wec for wec in registered(spec.layout, spec.seat) if wec not in spec.wecs]
    left = leave_agents(spec, gone) if gone else Change.none()
    return Change.merge([left, asyncio.run(_converge(spec))])


def leave_agents(spec: AgentsSpec, wecs: Sequence[str]) -> Change:
    """Take those WECs out of the hub, then end their agents and remove their files; the rest of the fleet stays.

    With `check` only say so. The agents must run to clean up: those that were stopped are started for it.
    """
    here = [wec for wec in wecs if wec in registered(spec.layout, spec.seat)]
    if spec.machine.check or not here:
        return Change({_told(spec, wec): "registered" for wec in here}, {})
    start_agents(spec, here)
    change = asyncio.run(_leave(spec, here))
    return Change.merge([change, end_agents(spec, here)])


def end_agents(spec: AgentsSpec, wecs: Sequence[str]) -> Change:
    """End those agents and remove all that they had on this machine; the WECs have left the hub, or it is gone."""
    for companion in spec.beside:
        companion.without(spec.machine, wecs)
    stay = [wec for wec in registered(spec.layout, spec.seat) if wec not in wecs]
    empty = set(spec.host_names(wecs)) - set(spec.host_names(stay))
    ended = spec.machine.supervisor.drop(spec.group, [*(spec.program(wec) for wec in wecs), *sorted(empty)])
    for wec in wecs:
        _remove(spec, wec)
    return ended


async def _leave(spec: AgentsSpec, wecs: Sequence[str]) -> Change:
    ledger, reachable = Ledger(), reachable_wec(spec)
    async with _hub(spec) as hub:
        members = await look(hub)
        # While this machine was away another may have taken the WEC over: then the name on the hub is not ours.
        ours = [wec for wec in wecs if wec not in members or members[wec].machine in ("", spec.machine_name)]
        await Leave(hub, reachable=reachable, ledger=ledger, options=spec.leave).run(ours)
    for wec in wecs:
        if await reachable(wec):
            async with dial.client(spec.layout, wec) as client:
                await spoke.forget(client, spec.seat)
    return ledger.change


async def _converge(spec: AgentsSpec) -> Change:
    """Prepare every WEC, write the files, then start and admit what is not in yet."""
    ledger, supervisor = Ledger(), spec.machine.supervisor
    async with _hub(spec) as hub:
        access: HubAccess = spec.access or await _own_access(spec, hub)
        access = LinkedAccess(access, spec.link_server) if spec.link_server else access
        credentials = Credentials(spec.layout, access, spec.hub, spec.seat)
        await _prepare(spec, ledger)
        await _finish_leaving(spec, hub, ledger)
        members = await look(hub)
        faults = await credentials.faults(spec.wecs, members, spec.machine.live_programs())
        joining = _joining(spec, members)
        await _reset(spec, hub, faults, ledger)
        joining = sorted({*joining, *faults})
        rewritten = credentials.write_bootstrap(spec.wecs, joining)
        for wec in rewritten:
            ledger.record(f"bootstrap kubeconfig of {wec}", None, "written")
        serving.ensure(spec.layout, spec.machine.fleet)
        beside = [(companion, companion.write(spec.machine, access, spec.wecs)) for companion in spec.beside]
        programs = [*_agent_programs(spec), *(program for _, written in beside for program in written.programs)]
        with supervisor.stage(spec.group, programs) as staged:
            change = staged.change
            staged.start(spec.beside_names())
            await _admit(spec, hub, staged, joining, ledger)
        if staged.pending:
            supervisor.settle(staged.pending)
    notified = [companion for companion, written in beside if companion.notify(spec.machine, written.digest)]
    told = {name: "reads its configuration again" for companion in notified for name in companion.names()}
    return Change.merge([ledger.change, change, Change({}, told)])


async def _admit(spec: AgentsSpec, hub: KubeClient, staged: Staged, joining: Sequence[str], ledger: Ledger) -> None:
    """Start agents a few at a time and bring them in; those that are in already only have to start."""
    pending = set(staged.pending)

    async def start(wec: str) -> None:
        await asyncio.to_thread(staged.start, [spec.program(wec)])

    wanted = [wec for wec in spec.wecs if wec in joining or spec.program(wec) in pending]
    join = Join(
        hub,
        start=start,
        credential=lambda wec: spec.files(wec).hub_kubeconfig.exists(),
        ledger=ledger,
        options=spec.join,
        machine=spec.machine_name,
        seat=spec.seat,
        tail=lambda wec: spec.machine.supervisor.tail(spec.program(wec)),
    )
    await join.run(wanted)


def _joining(spec: AgentsSpec, members: Mapping[str, Member]) -> list[str]:
    """WECs that the hub does not have accepted, Joined and Available, or that have no hub credential on disk."""
    return [
        wec
        for wec in spec.wecs
        if not (wec in members and members[wec].complete) or not spec.files(wec).hub_kubeconfig.exists()
    ]


async def _finish_leaving(spec: AgentsSpec, hub: KubeClient, ledger: Ledger) -> None:
    """WECs that are wanted but on their way out (a leave that was killed, a hand that deleted one) go, to come back.

    By themselves they might never go: a manager goes on making works for a cluster as long as its labels match.
    """
    leaving = [wec for wec, state in (await look(hub)).items() if state.leaving and wec in spec.wecs]
    if leaving:
        await asyncio.to_thread(start_agents, spec, leaving)
        await Leave(hub, reachable=reachable_wec(spec), ledger=ledger, options=spec.leave).run(leaving)


def start_agents(spec: AgentsSpec, wecs: Sequence[str]) -> None:
    """Start those agents that the supervisor knows: only they can clean up in their WECs."""
    supervisor = spec.machine.supervisor
    known = {state.name for state in supervisor.states()}
    for program in (*spec.host_names(wecs), *(spec.program(wec) for wec in wecs)):
        if program in known:
            supervisor.start(program)


def reachable_wec(spec: AgentsSpec) -> Callable[[str], Awaitable[bool]]:
    """Says whether a WEC's API server answers."""

    async def reachable(wec: str) -> bool:
        path = spec.layout.kubeconfig(wec)
        if not await asyncio.to_thread(path.exists):
            return False
        async with dial.client(spec.layout, wec, timeout=PROBE_SECONDS) as client:
            return await client.ready(PROBE_SECONDS)

    return reachable


async def _prepare(spec: AgentsSpec, ledger: Ledger) -> None:
    crds = read_crds(spec.upstream.crd(plural) for plural in SPOKE_CRDS)
    gate = asyncio.Semaphore(PREPARE_PARALLELISM)

    async def one(wec: str) -> None:
        async with gate, dial.client(spec.layout, wec) as client:
            await spoke.prepare(client, crds, ledger)

    for wec in spec.wecs:
        files = spec.files(wec)
        for folder in (files.directory.parent, files.directory, files.hub_directory, files.temporary):
            private_directory(folder)
    await asyncio.gather(*(one(wec) for wec in spec.wecs))


async def _reset(spec: AgentsSpec, hub: KubeClient, faults: Mapping[str, str], ledger: Ledger) -> None:
    """Throw away credentials that are of no use, so that the agents request new ones; old requests go too."""
    supervisor = spec.machine.supervisor
    known = {state.name for state in supervisor.states()}
    for wec, fault in sorted(faults.items()):
        if spec.program(wec) in known:
            await asyncio.to_thread(supervisor.stop, spec.program(wec))
        async with dial.client(spec.layout, wec) as client:
            await spoke.forget(client, spec.seat)
            left = await spoke.disown(client, spec.seat) if fault in (MOVED, ORPHANED) else 0
        if left:
            ledger.notes.append(f"{wec}: {left} works of the hub that was there before are removed with their objects")
        directory = spec.files(wec).hub_directory
        await asyncio.to_thread(remove_tree, directory)
        private_directory(directory)
        await hub.delete_collection(CSRS, label_selector=f"{names.CLUSTER_LABEL}={wec}")
        ledger.record(f"hub credential of {wec}", fault, "requested again")


def _agent_programs(spec: AgentsSpec) -> list[Program]:
    live, programs = spec.machine.live_programs(), spec.agent_programs()
    made = programs.hosts(spec.wecs, spec.seat)
    for wec in spec.wecs:
        if programs.within:
            made.append(programs.agent(wec, 0, spec.seat))
            continue
        block = spec.machine.take(spec.program(wec), AGENT_PORTS, in_use=spec.program(wec) in live)
        made.append(programs.agent(wec, block.start, spec.seat))
    return made


async def _own_access(spec: AgentsSpec, hub: KubeClient) -> HubAccess:
    """This machine is the hub's."""
    endpoint = await own_endpoint(spec.layout, spec.hub, hub, spec.hub_server)
    return OwnAccess(spec.layout, spec.machine.fleet, endpoint)


def _check(spec: AgentsSpec) -> Change:
    """What `converge_agents` would do, derived from files, the hub (if it answers) and the supervisor."""
    here = registered(spec.layout, spec.seat)
    before = {_told(spec, wec): "registered" for wec in here if wec not in spec.wecs}
    after = {_told(spec, wec): "registered" for wec in spec.wecs if wec not in here}
    programs = [*_agent_programs(spec), *(program for each in spec.beside for program in each.planned(spec.machine))]
    change = spec.machine.supervisor.converge(spec.group, programs, check=True)
    late = asyncio.run(_unregistered(spec)) if spec.admin.exists() else []
    before |= {_told(spec, wec): "not available" for wec in late if wec in here}
    after |= {_told(spec, wec): "registered" for wec in late if wec in here}
    return Change.merge([Change(before, after), change])


async def _unregistered(spec: AgentsSpec) -> list[str]:
    async with _hub(spec) as hub:
        return _joining(spec, await look(hub)) if await dial.answers(hub) else []


def _hub(spec: AgentsSpec) -> KubeClient:
    servers = [spec.access.server] if spec.access else [spec.hub_server]
    return KubeClient.from_kubeconfig(
        spec.admin,
        cluster=spec.hub,
        allowed=dial.places(spec.layout, *servers),
        timeout=HUB_SECONDS,
        retry_seconds=HUB_RETRY_SECONDS,
    )


def _told(spec: AgentsSpec, wec: str) -> str:
    return f"ocm agent {wec}{f' at {spec.seat}' if spec.seat else ''}"


def _remove(spec: AgentsSpec, wec: str) -> None:
    spec.machine.registry.give_back(spec.machine.fleet, spec.program(wec))
    for log in spec.layout.log.glob(f"{spec.program(wec)}.log*"):
        log.unlink(missing_ok=True)
    remove_tree(spec.files(wec).directory)


def _require(spec: AgentsSpec) -> None:
    if not spec.admin.exists():
        raise UsageError(f"{spec.admin} is missing: build the hub's control planes before WECs are registered")
    missing = [wec for wec in spec.wecs if not spec.layout.kubeconfig(wec).exists()]
    if missing:
        raise UsageError(f"{', '.join(missing)}: no such control plane on this machine; build it first")
