"""KubeStellar: ITSes, which are OCM hubs, WDSes with KubeStellar's programs, OCM's agents, and our status agent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleet import __version__
from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.layout import Layout
from fleet.host.pages import Pages, Reader, Started, by_flags, plain
from fleet.host.weight import Weight
from fleet.install.program_parts import Extra
from fleet.managers.installer import Found, Grant, HubPlane, Installer, Serving, Site, Way
from fleet.managers.kubestellar import names
from fleet.managers.kubestellar.converge import ITS_PORT_OWNER, WDS_PORT_OWNER, HubSpec, converge_hub
from fleet.managers.kubestellar.programs import CONTROLLER_MANAGER
from fleet.managers.kubestellar.status_config import StatusSpec, config_file
from fleet.managers.ocm import joining, pages, weights
from fleet.managers.ocm import names as ocm
from fleet.managers.ocm.hub import PORT_OWNER
from fleet.managers.ocm.joining import Members
from fleet.model.fleet_file import FleetFile, ManagerOf
from fleet.model.pairing import paired
from fleet.model.variable_rules import Problem
from fleet.model.variable_types import as_whole, told
from fleet.model.variables import Variables

ITS, WDS = "its", "wds"
OWN_AGENT = "fleet"
"""What `record_status_agent` calls ours."""


def of_status_agent(started: Started) -> Pages:
    """It is given its address in its configuration."""
    try:
        document = json.loads(config_file(started.layout, started.place).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return Pages()
    return plain(str(document.get("metrics_address") or ""))


class KubeStellar(Installer):
    """As in Installer."""

    limits: Sequence[str] = (
        *joining.LIMITS,
        "transport_wds_qps",
        "transport_wds_burst",
        "transport_its_qps",
        "transport_its_burst",
        "transport_concurrency",
        "max_num_wrapped",
        "max_size_wrapped",
        "controller_wds_qps",
        "controller_wds_burst",
        "controller_its_qps",
        "controller_its_burst",
        "status_hub_qps",
        "status_hub_burst",
        "status_local_qps",
        "status_local_burst",
    )
    pages: Mapping[str, Reader] = {
        **pages.ALIKE,
        "controller-manager": by_flags,
        "transport": by_flags,
        names.STATUS_PROGRAM: of_status_agent,
    }
    port_owners: Sequence[str] = (
        PORT_OWNER,
        WDS_PORT_OWNER,
        ITS_PORT_OWNER,
        ocm.AGENT_COMPONENT,
        names.STATUS_PROGRAM,
    )
    plane = weights.PLANE
    agent = weights.AGENT
    serving = Serving("wds_serving", ("hub",))

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:
        """As in Installer."""
        serving = variables.wds_count if variables.wds_serving == "" else as_whole(variables.wds_serving) or 0
        for name, value in (("wds_serving", serving), ("its_count", variables.its_count)):
            if not 1 <= value <= variables.wds_count:
                text = f"{value} is not a whole number from 1 to {variables.wds_count}, the number of WDSes (wds_count)"
                yield Problem(name, text)
        if variables.its_count > 1 and (machines > 1 or variables.wan):
            yield Problem(
                "its_count",
                f"{variables.its_count} ITSes need one machine for hub and WECs, and no link (wan): links and the"
                " credentials of other machines lead to one ITS",
            )
        if variables.ocm_agents_status_agent != (variables.record_status_agent == OWN_AGENT):
            yield Problem(
                "record_status_agent",
                f"{told(variables.record_status_agent)} would be written on every run and report, but"
                f" ocm_agents_status_agent is {told(variables.ocm_agents_status_agent)}: with true ours returns status,"
                " which is fleet; with false name the one that you run (ocm-status-addon) and"
                " record_status_agent_version",
            )

    def planes(self, variables: Variables) -> Sequence[HubPlane]:
        """As in Installer."""
        itses = [HubPlane(f"{ITS}{n}", ITS, signs=True, dialled=True) for n in range(1, variables.its_count + 1)]
        return (*itses, *(HubPlane(f"{WDS}{n}", WDS) for n in range(1, variables.wds_count + 1)))

    def agent_weight(self, variables: Variables) -> Weight:
        """As in Installer."""
        return weights.agent(variables)

    def agents_env(self, variables: Variables) -> Mapping[str, str]:
        """As of plain OCM."""
        return variables.ocm_agents_env

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:
        """As in Installer."""
        sources, transports = found.of_role(WDS), found.of_role(ITS)
        running = {component.cluster for component in found.components if component.component == "transport"}
        return ManagerOf(
            name="kubestellar",
            version=versions.get(CONTROLLER_MANAGER, ""),
            source=WDS,
            transport=ITS,
            transports=paired(sources, transports),
            served=[source for source in sources if source in running] or None,
            facts={
                "status_agent": variables.record_status_agent,
                "status_agent_version": variables.record_status_agent_version or __version__,
            },
        )

    def unrecorded(self, fleet: FleetFile) -> Mapping[str, Any]:
        """How many WDSes there are, how many of them KubeStellar runs for, and how many ITSes they work with."""
        return {
            "wds_count": len(fleet.of_role(WDS)),
            "wds_serving": len(fleet.served()),
            "its_count": max(1, len(fleet.of_role(ITS))),
        }

    def refuse(self, recorded: ManagerOf) -> None:
        """As in Installer: with a status agent that is not ours."""
        agent = recorded.facts.get("status_agent", OWN_AGENT)
        if agent != OWN_AGENT:
            raise UsageError(f"that fleet returned status with {agent}, which site.yml does not install")

    def labels(self, layout: Layout) -> Mapping[str, Mapping[str, str]]:
        """As in Installer."""
        return joining.labels(layout)

    def hub(self, site: Site) -> Change:
        """As in Installer."""
        variables = site.variables
        itses, wdses = (self._names(variables, role) for role in (ITS, WDS))
        return converge_hub(
            HubSpec(
                machine=site.machine,
                upstream=site.upstream,
                its=itses[0],
                further=itses[1:],
                wdses=wdses,
                serving=as_whole(variables.wds_serving),
                limits=site.limits,
                registration=Extra(variables.hub_registration_extra_args, variables.hub_registration_env),
                controller_manager=Extra(
                    variables.hub_controller_manager_extra_args, variables.hub_controller_manager_env
                ),
                transport=Extra(variables.hub_transport_extra_args, variables.hub_transport_env),
                restart=variables.manager_restart,
            )
        )

    def join(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return self._members(site).join(site, way)

    def leave(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return self._members(site).leave(site, way)

    def retire(self, site: Site) -> Change:
        """As in Installer."""
        return self._members(site).retire(site)

    def purge(self, site: Site, wanted: Mapping[str, str]) -> Change:
        """As in Installer."""
        return self._members(site).purge(site, wanted)

    def grant(self, site: Site, server: str) -> Grant | None:
        """As in Installer."""
        return self._members(site).grant(site, server)

    def clear(self, site: Site) -> Change:
        """As in Installer."""
        return self._members(site).clear(site)

    def _names(self, variables: Variables, role: str) -> tuple[str, ...]:
        return tuple(plane.name for plane in self.planes(variables) if plane.role == role)

    def _members(self, site: Site) -> Members:
        variables = site.variables
        status = StatusSpec(
            enabled=variables.ocm_agents_status_agent and bool(site.wecs),
            limits=site.limits,
            parity=variables.status_agent_parity,
            journal=variables.ocm_agents_status_agent_journal,
            extra=Extra(variables.ocm_agents_status_agent_extra_args, variables.ocm_agents_status_agent_env),
        )
        return Members(
            self._names(variables, ITS),
            beside=(status,),
            identities=(names.STATUS_IDENTITY,),
            works=names.BINDING_LABEL,
        )


INSTALLER = KubeStellar()
