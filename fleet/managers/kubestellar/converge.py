"""The hub of a fleet: CRDs, spaces and identities in the ITS, then its programs, until all of them work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.crds import packaged_crd, read_crds
from fleet.install.objects import Ledger, ensure_all
from fleet.install.program_parts import Extra, Upstream, started_by
from fleet.managers.kubestellar import names, ready
from fleet.managers.kubestellar.programs import WDS_PORTS, HubPrograms, controller_metrics, transport_metrics
from fleet.managers.kubestellar.retire import retire
from fleet.managers.kubestellar.spaces import ensure_space
from fleet.managers.kubestellar.status_config import status_agent_objects
from fleet.managers.ocm import names as ocm
from fleet.managers.ocm import ready as ocm_ready
from fleet.managers.ocm import serving
from fleet.managers.ocm.hub import PORT_OWNER, REGISTRATION_CRDS, ensure_hub
from fleet.managers.ocm.identities import embedded
from fleet.managers.ocm.programs import HUB_PORTS, temporary
from fleet.model.client_limits import ClientLimits
from fleet.model.pairing import paired

ITS_CRDS = ("controlplanes", *REGISTRATION_CRDS)
"""Plurals."""
WDS_PORT_OWNER = "kubestellar."
"""And the name of the WDS."""
ITS_PORT_OWNER = "registration."
"""And the name of the ITS, of a further one."""


@dataclass(frozen=True)
class HubSpec:
    """What one hub is made of."""

    machine: Machine
    upstream: Upstream
    its: str = "its1"
    further: tuple[str, ...] = ()
    """More ITSes: the WDSes take them in turn, each is an OCM hub and a KubeFlex core cluster of its own."""
    wdses: tuple[str, ...] = ("wds1",)
    serving: int | None = None
    """KubeStellar runs for the first so many of them; None: for all."""
    limits: ClientLimits = field(default_factory=ClientLimits)
    registration: Extra = field(default_factory=Extra)
    controller_manager: Extra = field(default_factory=Extra)
    transport: Extra = field(default_factory=Extra)
    restart: str = ""
    """Under another word than before all programs start again."""

    @property
    def itses(self) -> tuple[str, ...]:
        """All of them."""
        return (self.its, *self.further)

    def wdses_of(self, its: str) -> tuple[str, ...]:
        """The WDSes whose KubeStellar works with that ITS."""
        pairs = paired(self.wdses, self.itses)
        return tuple(wds for wds in self.wdses if pairs[wds] == its)

    @property
    def served(self) -> tuple[str, ...]:
        """The WDSes that KubeStellar runs for."""
        return self.wdses[: self.serving]

    def check(self) -> None:
        """UsageError naming the variable for what makes no sense: an argument that is no flag, more WDSes to serve
        than there are."""
        if self.serving is not None and not 1 <= self.serving <= len(self.wdses):
            raise UsageError(f"wds_serving: {self.serving} is not from 1 to {len(self.wdses)}, the number of WDSes")
        if len(self.itses) > len(self.wdses):
            raise UsageError(f"its_count: {len(self.itses)} is not from 1 to {len(self.wdses)}, the number of WDSes")
        self.registration.check("hub_registration_extra_args")
        self.controller_manager.check("hub_controller_manager_extra_args")
        self.transport.check("hub_transport_extra_args")

    def programs(self, itses: Mapping[str, int], wdses: Mapping[str, int]) -> list[Program]:
        """All programs: of each ITS the registration controller on its port, KubeStellar's on those of each WDS that
        is served."""
        made: list[Program] = []
        for its, port in itses.items():
            served = {wds: wdses[wds] for wds in self.wdses_of(its) if wds in self.served}
            made += HubPrograms(
                self.machine.layout, its, port, served, self.upstream, self.limits,
                self.registration, self.controller_manager, self.transport,
            ).all()  # fmt: skip
        return made


def converge_hub(spec: HubSpec) -> Change:
    """Bring the hub about and wait until it works; with `spec.machine.check` only say what would change.

    The control planes must be there (UsageError). Killed at any moment, the next call repairs.
    """
    spec.check()
    layout = spec.machine.layout
    missing = [name for name in (*spec.itses, *spec.wdses) if not layout.kubeconfig(name).exists()]
    if missing and not spec.machine.check:
        raise UsageError(f"control plane {', '.join(missing)} is not on this machine: build the control planes first")
    itses, wdses = _ports(spec)
    if not spec.machine.check:
        for folder in (layout.root / "hub", temporary(layout)):
            private_directory(folder)
        serving.ensure(layout, spec.machine.fleet)
    ledger = Ledger(check=spec.machine.check)
    for its in spec.itses:
        if not missing:
            asyncio.run(_objects(spec, its, ledger))
        else:
            ledger.record(f"{its} objects of the hub", None, "present")
    programs = started_by(spec.restart, spec.programs(itses, wdses))
    change = spec.machine.supervisor.converge(ocm.HUB_GROUP, programs, check=spec.machine.check)
    if not missing:
        asyncio.run(_retire(spec, ledger))
    if not spec.machine.check:
        _give_back(spec)
        asyncio.run(_wait(spec, wdses))
    return Change.merge([ledger.change, change])


async def _objects(spec: HubSpec, name: str, ledger: Ledger) -> None:
    """Everything that must be in the ITS of that name before a program starts."""
    layout = spec.machine.layout
    async with dial.client(layout, name) as its:
        if ledger.check and not await dial.answers(its):
            ledger.record(f"{name} objects of the hub", None, "present")
            return
        # WorkStatus before any program: KubeStellar's controller-manager looks for it every 15 s, and waits for it.
        crds = [
            packaged_crd("fleet.managers.kubestellar", "workstatuses"),
            *read_crds(spec.upstream.crd(plural) for plural in ITS_CRDS),
        ]
        if not await ensure_hub(its, crds, ledger):
            return
        for space, role in ((name, "its"), *((wds, "wds") for wds in spec.wdses_of(name))):
            await ensure_space(its, space, role, embedded(layout.kubeconfig(space)), ledger)
        await ensure_all(its, status_agent_objects(), ledger)


async def _retire(spec: HubSpec, ledger: Ledger) -> None:
    """Once nothing runs for them any more: take WDSes off an ITS that the fleet no longer has, or that have another."""
    for name in spec.itses:
        async with dial.client(spec.machine.layout, name) as its:
            if ledger.check and (ledger.after or not await dial.answers(its)):
                return  # not even the CRDs may be there
            await retire(its, spec.wdses_of(name), ledger)


async def _wait(spec: HubSpec, ports: Mapping[str, int]) -> None:
    supervisor, layout = spec.machine.supervisor, spec.machine.layout

    async def served(wds: str) -> None:
        controller, transport = names.served_programs(wds)
        async with dial.client(layout, wds) as client:
            await ready.controller_manager(client, supervisor, controller, controller_metrics(ports[wds]))
        await ready.transport(supervisor, transport, transport_metrics(ports[wds]))

    for name in spec.itses:
        async with dial.client(layout, name) as its:
            await ocm_ready.registration(its, supervisor, ocm.registration_program(name))
    for wds in spec.served:
        await served(wds)


def _ports(spec: HubSpec) -> tuple[dict[str, int], dict[str, int]]:
    """The port of each ITS's registration controller, and the first of each WDS's."""
    live = spec.machine.live_programs()
    wdses = {
        wds: spec.machine.take(
            f"{WDS_PORT_OWNER}{wds}", WDS_PORTS, in_use=bool(live & set(names.served_programs(wds)))
        ).start
        for wds in spec.wdses
    }
    itses = {
        its: spec.machine.take(_port_owner(spec, its), HUB_PORTS, in_use=ocm.registration_program(its) in live).start
        for its in spec.itses
    }
    return itses, wdses


def _port_owner(spec: HubSpec, its: str) -> str:
    return PORT_OWNER if its == spec.its else f"{ITS_PORT_OWNER}{its}"


def _give_back(spec: HubSpec) -> None:
    """The ports of ITSes and WDSes that are no more."""
    registry, fleet = spec.machine.registry, spec.machine.fleet
    kept = {f"{WDS_PORT_OWNER}{wds}" for wds in spec.wdses} | {_port_owner(spec, its) for its in spec.itses}
    for block in registry.blocks(fleet):
        if block.owner.startswith((WDS_PORT_OWNER, ITS_PORT_OWNER)) and block.owner not in kept:
            registry.give_back(fleet, block.owner)
