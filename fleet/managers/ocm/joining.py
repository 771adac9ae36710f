"""Members of OCM hubs as an installer handles them, for plain OCM and for managers that are built on it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.host.change import Change
from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.install.program_parts import Extra
from fleet.managers.installer import Grant, Site, Way
from fleet.managers.ocm import names, spoke
from fleet.managers.ocm.access import GivenAccess, grant
from fleet.managers.ocm.agents import PREPARE_PARALLELISM, AgentsSpec, reachable_wec, registered
from fleet.managers.ocm.companion import Companion
from fleet.managers.ocm.identities import Identity
from fleet.managers.ocm.join import JoinOptions
from fleet.managers.ocm.leave import LeaveOptions
from fleet.managers.ocm.memberships import converge_memberships, leave_memberships, retire_seats, seats
from fleet.managers.ocm.programs import AgentPrograms
from fleet.managers.ocm.purge import purge
from fleet.model.fleet_file import WEC

LIMITS = (
    "ocm_registration_qps",
    "ocm_registration_burst",
    "work_hub_qps",
    "work_hub_burst",
    "work_spoke_qps",
    "work_spoke_burst",
)
"""Of the registration controller and the agents: every manager on OCM has them."""
REGISTRAR, BOOTSTRAP = "registrar", "bootstrap"
"""Keys of `Grant.secrets`, alongside the names of identities."""


@dataclass(frozen=True)
class Members:
    """How the WECs of one machine are members of `hubs`: agents dial each; links, other machines lead to the first."""

    hubs: tuple[str, ...]
    beside: tuple[Companion, ...] = ()
    """What runs alongside the agents."""
    identities: tuple[Identity, ...] = ()
    """Who those programs are to the hub."""
    works: str = ""
    """Label of the works that the manager makes (`LeaveOptions.works`)."""

    def join(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return converge_memberships(self._spec(site, way), self.hubs[1:])

    def leave(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        spec = self._spec(site, way)
        return leave_memberships(spec) if registered(site.layout) or seats(site.layout) else Change.none()

    def retire(self, site: Site) -> Change:
        """As in Installer."""
        return retire_seats(self._spec(site, Way()), self.hubs[1:])

    def purge(self, site: Site, wanted: Mapping[str, str]) -> Change:
        """As in Installer."""
        return purge(site.layout, self.hubs[0], wanted, check=site.machine.check, options=self._leave(site))

    def grant(self, site: Site, server: str) -> Grant | None:
        """As in Installer."""
        machine, check = site.machine, site.machine.check
        made = grant(site.layout, machine.fleet, self.hubs[0], self.identities, server=server, check=check)
        if made is None:
            return None
        secrets = {REGISTRAR: made.registrar, BOOTSTRAP: made.first, **made.others}
        return Grant(made.server, made.context, made.ca, secrets)

    def clear(self, site: Site) -> Change:
        """As in Installer."""
        return asyncio.run(_clear(self._spec(site, Way())))

    def _leave(self, site: Site) -> LeaveOptions:
        seconds = site.variables.ocm_agents_leave_seconds
        return LeaveOptions(works=self.works, works_seconds=seconds, cluster_seconds=seconds)

    def _spec(self, site: Site, way: Way) -> AgentsSpec:
        variables, layout = site.variables, site.layout
        extra = Extra(variables.ocm_agents_extra_args, variables.ocm_agents_env)
        programs = AgentPrograms(
            layout,
            site.upstream,
            site.limits,
            variables.ocm_agents_status_sync_interval,
            extra,
            hosted=variables.programs_shared,
            size=variables.dense_shard_size,
        )
        spec = AgentsSpec(
            machine=site.machine,
            upstream=site.upstream,
            wecs=site.wecs,
            hub=self.hubs[0],
            hub_server=way.server,
            link_server=way.link,
            machine_name=site.name,
            programs=programs,
            beside=self.beside,
            join=JoinOptions(variables.ocm_agents_parallelism, variables.ocm_agents_join_seconds),
            leave=self._leave(site),
        )
        return spec if way.grant is None else _from_away(spec, way.grant, way.temporary)


def labels(layout: Layout) -> dict[str, Mapping[str, str]]:
    """As in Installer."""
    return {wec: names.wec_labels(wec) for wec in registered(layout)}


def _from_away(spec: AgentsSpec, made: Grant, temporary: Path) -> AgentsSpec:
    """Of a machine that is not the hub's."""
    others = {name: text for name, text in made.secrets.items() if name not in (REGISTRAR, BOOTSTRAP)}
    access = GivenAccess(
        server=made.server,
        context=made.context,
        ca=made.ca,
        registrar=made.secrets[REGISTRAR],
        first=made.secrets[BOOTSTRAP],
        others=others,
        folder=spec.layout.root / "hub",
    )
    # Only for the time of this call: whoever takes the machine over must not find it.
    file = temporary / f"{REGISTRAR}.kubeconfig"
    write_private(file, access.registrar.encode())
    return replace(spec, access=access, hub_kubeconfig=file)


async def _clear(spec: AgentsSpec) -> Change:
    ledger, reachable, gate = (
        Ledger(check=spec.machine.check),
        reachable_wec(spec),
        asyncio.Semaphore(PREPARE_PARALLELISM),
    )

    async def one(wec: str) -> None:
        async with gate:
            if not await reachable(wec):
                ledger.notes.append(f"{wec} does not answer: OCM's CRDs and namespaces stay in it")
                return
            async with dial.client(spec.layout, wec) as client:
                await spoke.clear(client, ledger)

    await asyncio.gather(*(one(stored.name) for stored in stored_planes(spec.layout) if stored.role == WEC))
    return ledger.change
