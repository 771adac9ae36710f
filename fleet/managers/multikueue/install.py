"""MultiKueue: one hub with a Kueue, and a Kueue for every WEC, each a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from fleet.host.change import Change
from fleet.host.pages import Reader
from fleet.host.weight import MIB, Weight
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.kube.each import each
from fleet.managers.installer import Found, HubPlane, Site, Way
from fleet.managers.membership import MemberInstaller, Membership
from fleet.managers.multikueue import names
from fleet.managers.multikueue.hub import converge_hub
from fleet.managers.multikueue.membership import Member
from fleet.managers.multikueue.pages import PAGES
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import ManagerOf
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables


class MultiKueue(MemberInstaller):
    """As in Installer."""

    limits: Sequence[str] = tuple(name for name in ClientLimits.model_fields if name.startswith("multikueue_"))
    pages: Mapping[str, Reader] = PAGES
    port_owners: Sequence[str] = tuple(f"{component}." for component in PAGES)
    # A hub's program holds 46 MiB on 3 WECs, a worker's 39 MiB; the rest as of other managers' hubs.
    plane = Weight(420 * MIB, 12, 40, 50, 2, 400 * MIB)
    agent = Weight(55 * MIB, 3, 10, 20, 3, 10 * MIB)

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:
        """As in Installer."""
        if machines > 1:
            yield Problem(
                "manager", "multikueue needs one machine for hub and WECs: the hub dials each WEC on loopback"
            )
        if variables.wan:
            yield Problem("wan", "a link leads from WECs to the hub, and multikueue's hub dials the WECs: leave it out")
        if names.PROGRAM in variables.platform:
            yield Problem("platform", "multikueue brings a Kueue into each WEC: leave kueue out")

    def planes(self, variables: Variables) -> Sequence[HubPlane]:  # noqa: ARG002
        """As in Installer."""
        return (HubPlane(names.HUB, names.ROLE),)

    def agents_env(self, variables: Variables) -> Mapping[str, str]:
        """Of the Kueue of every worker."""
        return variables.multikueue_worker_env

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:  # noqa: ARG002
        """As in Installer."""
        return ManagerOf(
            name="multikueue",
            version=versions.get(names.PROGRAM, ""),
            source=names.ROLE,
            transport=names.ROLE,
            transports={hub: hub for hub in found.of_role(names.ROLE)},
        )

    def hub(self, site: Site) -> Change:
        """As in Installer."""
        return converge_hub(site)

    def membership(self, site: Site, way: Way) -> Membership:  # noqa: ARG002 - the hub dials the WECs
        """By a Kueue in each."""
        return Member(site)

    def join(self, site: Site, way: Way) -> Change:
        """As in Installer; the hub counts a WEC as active when its API server answers, so workers are waited for."""
        joined = super().join(site, way)
        if not site.machine.check:
            asyncio.run(_work(site))
        return joined


async def _work(site: Site) -> None:
    async def one(wec: str) -> None:
        kueue = Member(site).worker(wec)
        works = partial(metrics_answer, kueue.ready_page)
        await until_it_works(site.machine.supervisor, kueue.name, works, "it does not say that it is ready")

    await each(site.wecs, one)


INSTALLER = MultiKueue()
