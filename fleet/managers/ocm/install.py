"""Plain OCM: one hub with registration, placement and work manager, and an agent for every WEC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.host.change import Change
from fleet.host.layout import Layout
from fleet.host.pages import Reader
from fleet.host.weight import Weight
from fleet.managers.installer import Found, Grant, HubPlane, Installer, Site, Way
from fleet.managers.ocm import joining, names, pages, weights
from fleet.managers.ocm.hub import PLACING_PORT_OWNER, PORT_OWNER, converge_hub
from fleet.managers.ocm.joining import Members
from fleet.managers.ocm.programs import WORK_MANAGER
from fleet.model.fleet_file import ManagerOf
from fleet.model.variables import Variables

HUB = "hub1"
ROLE = "hub"
MEMBERS = Members((HUB,))
"""No works to wait for when a WEC leaves: placement leaves out a cluster that is being deleted, and OCM takes its works
back."""


class Ocm(Installer):
    """As in Installer."""

    limits: Sequence[str] = (
        *joining.LIMITS,
        "ocm_placement_qps",
        "ocm_placement_burst",
        "ocm_work_manager_qps",
        "ocm_work_manager_burst",
    )
    pages: Mapping[str, Reader] = {**pages.ALIKE, **pages.PLACING}
    port_owners: Sequence[str] = (PORT_OWNER, PLACING_PORT_OWNER, names.AGENT_COMPONENT)
    versions: Sequence[str] = ("v1.2.0", "v1.0.0")
    plane = weights.PLANE
    agent = weights.AGENT

    def planes(self, variables: Variables) -> Sequence[HubPlane]:  # noqa: ARG002
        """As in Installer."""
        return (HubPlane(HUB, ROLE, signs=True, dialled=True),)

    def agent_weight(self, variables: Variables) -> Weight:
        """As in Installer."""
        return weights.agent(variables)

    def agents_env(self, variables: Variables) -> Mapping[str, str]:
        """Of the registration and work agents."""
        return variables.ocm_agents_env

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:
        """As in Installer."""
        hubs = found.of_role(ROLE)
        scrape = variables.ocm_feedback_scrape_type
        return ManagerOf(
            name="ocm",
            version=versions.get(WORK_MANAGER, ""),
            source=ROLE,
            transport=ROLE,
            transports={hub: hub for hub in hubs},
            facts={"feedback_scrape_type": scrape} if scrape else {},
        )

    def labels(self, layout: Layout) -> Mapping[str, Mapping[str, str]]:
        """As in Installer."""
        return joining.labels(layout)

    def hub(self, site: Site) -> Change:
        """As in Installer."""
        return converge_hub(site, HUB)

    def join(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return MEMBERS.join(site, way)

    def leave(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return MEMBERS.leave(site, way)

    def purge(self, site: Site, wanted: Mapping[str, str]) -> Change:
        """As in Installer."""
        return MEMBERS.purge(site, wanted)

    def grant(self, site: Site, server: str) -> Grant | None:
        """As in Installer."""
        return MEMBERS.grant(site, server)

    def clear(self, site: Site) -> Change:
        """As in Installer."""
        return MEMBERS.clear(site)


INSTALLER = Ocm()
