"""The hub of a fleet: CRDs, spaces and identities in the ITS, then its three programs, until all of them work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.hub import dial, names, ready, serving
from fleet.hub.crds import ensure_crds, read_crds, work_status_crd
from fleet.hub.identities import bootstrap_objects, embedded, registrar_objects, status_agent_objects
from fleet.hub.objects import Ledger, ensure, ensure_all
from fleet.hub.programs import HUB_PORTS, Extra, HubPrograms, Upstream, temporary
from fleet.hub.spaces import ensure_space, namespace
from fleet.kube.resources import NAMESPACES
from fleet.spec.fleet_file import ClientLimits

ITS_CRDS = (
    "controlplanes",
    "managedclusters",
    "managedclustersets",
    "managedclustersetbindings",
    "manifestworks",
    "managedclusteraddons",
)
"""Plurals. The registration controller watches all but the first, and exits after ten minutes when one is missing."""
PORT_OWNER = "hub"


@dataclass(frozen=True)
class HubSpec:
    """What one hub is made of."""

    machine: Machine
    upstream: Upstream
    its: str = "its1"
    wds: str = "wds1"
    limits: ClientLimits = field(default_factory=ClientLimits)
    registration: Extra = field(default_factory=Extra)
    controller_manager: Extra = field(default_factory=Extra)
    transport: Extra = field(default_factory=Extra)

    def check(self) -> None:
        """UsageError naming the variable for an extra argument that is no flag."""
        self.registration.check("hub_registration_extra_args")
        self.controller_manager.check("hub_controller_manager_extra_args")
        self.transport.check("hub_transport_extra_args")

    def programs(self, port: int) -> list[Program]:
        """The three programs with the port block that starts there."""
        return HubPrograms(
            self.machine.layout, self.its, self.wds, port, self.upstream, self.limits,
            self.registration, self.controller_manager, self.transport,
        ).all()  # fmt: skip


def converge_hub(spec: HubSpec) -> Change:
    """Bring the hub about and wait until it works; with `spec.machine.check` only say what would change.

    The control planes must be there (UsageError). Killed at any moment, the next call repairs.
    """
    spec.check()
    layout = spec.machine.layout
    missing = [name for name in (spec.its, spec.wds) if not layout.kubeconfig(name).exists()]
    if missing and not spec.machine.check:
        raise UsageError(f"control plane {', '.join(missing)} is not on this machine: build the control planes first")
    port = spec.machine.take(PORT_OWNER, HUB_PORTS, in_use=_any_runs(spec)).start
    if not spec.machine.check:
        for folder in (layout.root / "hub", temporary(layout)):
            private_directory(folder)
        serving.ensure(layout, spec.machine.fleet)
    ledger = Ledger(check=spec.machine.check)
    if not missing:
        asyncio.run(_objects(spec, ledger))
    else:
        ledger.record(f"{spec.its} objects of the hub", None, "present")
    change = spec.machine.supervisor.converge(names.HUB_GROUP, spec.programs(port), check=spec.machine.check)
    if not spec.machine.check:
        asyncio.run(_wait(spec, port))
    return Change.merge([ledger.change, change])


def stop_hub(machine: Machine) -> Change:
    """End the agents, then the hub's programs; what they made and wrote stays for the teardown. Absent is fine."""
    if not machine.supervisor.running():
        return Change.none()
    changes = []
    for group in (names.AGENTS_GROUP, names.HUB_GROUP):
        file = machine.layout.supervisor / "conf.d" / f"{group}.conf"
        if file.exists():
            changes.append(machine.supervisor.converge(group, [], check=machine.check))
    return Change.merge(changes)


async def _objects(spec: HubSpec, ledger: Ledger) -> None:
    """Everything that must be in the ITS before a program starts."""
    layout = spec.machine.layout
    async with dial.client(layout, spec.its) as its:
        if ledger.check and not await ready.answers(its):
            ledger.record(f"{spec.its} objects of the hub", None, "present")
            return
        # WorkStatus before any program: KubeStellar's controller-manager looks for it every 15 s, and waits for it.
        crds = [work_status_crd(), *read_crds(spec.upstream.crd(plural) for plural in ITS_CRDS)]
        await ensure_crds(its, crds, ledger)
        if ledger.check and ledger.after:
            return  # what follows needs the CRDs: nothing more to be learned
        for name in (names.HUB_NAMESPACE, names.OCM_NAMESPACE):
            await ensure(its, NAMESPACES, namespace(name), ledger)
        for space, role in ((spec.its, "its"), (spec.wds, "wds")):
            await ensure_space(its, space, role, embedded(layout.kubeconfig(space)), ledger)
        await ensure_all(its, [*bootstrap_objects(), *status_agent_objects(), *registrar_objects()], ledger)


async def _wait(spec: HubSpec, port: int) -> None:
    supervisor, layout = spec.machine.supervisor, spec.machine.layout
    registration, controller, transport = ready.programs_of(spec.its, spec.wds)
    async with AsyncExitStack() as stack:
        its = await stack.enter_async_context(dial.client(layout, spec.its))
        wds = await stack.enter_async_context(dial.client(layout, spec.wds))
        await ready.registration(its, supervisor, registration)
        await ready.controller_manager(wds, supervisor, controller, port + 1)
        await ready.transport(supervisor, transport, port + 4)


def _any_runs(spec: HubSpec) -> bool:
    programs: Sequence[str] = ready.programs_of(spec.its, spec.wds)
    return bool(spec.machine.live_programs() & set(programs))
