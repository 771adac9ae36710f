"""KubeFleet: one hub with a hub agent, and a member agent for every WEC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.host.change import Change
from fleet.host.pages import Reader
from fleet.host.weight import MIB, Weight
from fleet.managers.installer import Found, HubPlane, Site, Way
from fleet.managers.kubefleet import names
from fleet.managers.kubefleet.hub import converge_hub
from fleet.managers.kubefleet.membership import Member
from fleet.managers.kubefleet.pages import PAGES
from fleet.managers.kubefleet.record import PERIOD_FACT, UNAVAILABLE_FACT
from fleet.managers.membership import MemberInstaller, Membership
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import ManagerOf
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables


class KubeFleet(MemberInstaller):
    """As in Installer."""

    limits: Sequence[str] = tuple(name for name in ClientLimits.model_fields if name.startswith("kubefleet_"))
    pages: Mapping[str, Reader] = PAGES
    port_owners: Sequence[str] = tuple(f"{component}." for component in PAGES)
    # Its hub agent holds 67 MiB on 5 WECs, a member agent 24 MiB; the rest as of other managers' hubs.
    plane = Weight(420 * MIB, 12, 40, 50, 2, 400 * MIB)
    agent = Weight(40 * MIB, 2, 8, 16, 3, 10 * MIB)

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:
        """As in Installer."""
        if machines > 1:
            yield Problem(
                "manager", "kubefleet needs one machine for hub and WECs: its agents' credentials are made on the hub's"
            )
        if variables.kubefleet_max_unavailable in ("0", "0%"):
            yield Problem("kubefleet_max_unavailable", "0 lets no change reach a WEC: at least 1, or 1%")

    def planes(self, variables: Variables) -> Sequence[HubPlane]:  # noqa: ARG002
        """As in Installer."""
        return (HubPlane(names.HUB, names.ROLE, dialled=True),)

    def agents_env(self, variables: Variables) -> Mapping[str, str]:
        """Of the member agents."""
        return variables.kubefleet_member_agent_env

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:
        """As in Installer."""
        return ManagerOf(
            name="kubefleet",
            version=versions.get(names.HUB_AGENT, ""),
            source=names.ROLE,
            transport=names.ROLE,
            transports={hub: hub for hub in found.of_role(names.ROLE)},
            facts={
                UNAVAILABLE_FACT: variables.kubefleet_max_unavailable,
                PERIOD_FACT: str(variables.kubefleet_unavailable_period_seconds),
            },
        )

    def hub(self, site: Site) -> Change:
        """As in Installer."""
        return converge_hub(site)

    def membership(self, site: Site, way: Way) -> Membership:
        """By an agent for each."""
        return Member(way, site.upstream)


INSTALLER = KubeFleet()
