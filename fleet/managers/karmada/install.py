"""Karmada: one hub with an aggregated API server, webhook, controller-manager and scheduler; in pull mode an agent for
every WEC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.host.change import Change
from fleet.host.pages import Reader
from fleet.host.weight import MIB, Weight
from fleet.managers.installer import Found, HubPlane, Site, Way
from fleet.managers.karmada import names
from fleet.managers.karmada.hub import converge_hub
from fleet.managers.karmada.membership import Pull, Push
from fleet.managers.karmada.pages import PAGES
from fleet.managers.karmada.record import MODE_FACT, PULL
from fleet.managers.membership import MemberInstaller, Membership
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import ManagerOf
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables


class Karmada(MemberInstaller):
    """As in Installer."""

    limits: Sequence[str] = tuple(name for name in ClientLimits.model_fields if name.startswith("karmada_"))
    pages: Mapping[str, Reader] = PAGES
    port_owners: Sequence[str] = tuple(f"{component}." for component in PAGES)
    # Its four programs hold 290 MiB on 5 WECs, an agent 26 MiB; the rest as of other managers' hubs.
    plane = Weight(620 * MIB, 12, 60, 80, 12, 400 * MIB)
    agent = Weight(50 * MIB, 2, 8, 16, 3, 10 * MIB)

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:
        """As in Installer."""
        if machines > 1:
            yield Problem(
                "manager", "karmada needs one machine for hub and WECs: its agents' credentials are made on the hub's"
            )
        if variables.wan and variables.karmada_mode != PULL:
            yield Problem("wan", "a link leads agents to the hub, and karmada_mode push has no agents")

    def planes(self, variables: Variables) -> Sequence[HubPlane]:
        """As in Installer."""
        return (HubPlane(names.HUB, names.ROLE, aggregates=True, dialled=variables.karmada_mode == PULL),)

    def agents_env(self, variables: Variables) -> Mapping[str, str] | None:
        """Members that are pushed to have no agents."""
        return variables.karmada_agent_env if variables.karmada_mode == PULL else None

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:
        """As in Installer."""
        return ManagerOf(
            name="karmada",
            version=versions.get(names.CONTROLLER, ""),
            source=names.ROLE,
            transport=names.ROLE,
            transports={hub: hub for hub in found.of_role(names.ROLE)},
            facts={MODE_FACT: variables.karmada_mode},
        )

    def hub(self, site: Site) -> Change:
        """As in Installer."""
        return converge_hub(site)

    def membership(self, site: Site, way: Way) -> Membership:
        """By its mode."""
        ca = site.layout.pki / "ca.crt"
        return Pull(way, ca) if site.variables.karmada_mode == PULL else Push(way, ca)


INSTALLER = Karmada()
