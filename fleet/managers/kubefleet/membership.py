"""A WEC as a member of a KubeFleet hub: a MemberCluster that names the user of its agent, and the agent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.host.authority import Authority, Subject
from fleet.host.files import write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.records import stored_server
from fleet.host.supervisor_config import Program
from fleet.install.crds import ensure_crds, read_crds
from fleet.install.objects import Ledger, ensure
from fleet.install.program_parts import Extra, Upstream
from fleet.kube.client import KubeClient
from fleet.kube.resources import MEMBER_CLUSTERS, NAMESPACES
from fleet.managers.installer import Site, Way
from fleet.managers.kubefleet import leaving, members, names
from fleet.managers.kubefleet.programs import AGENT_PORTS, AgentPrograms
from fleet.managers.manager import Registration

CRD_FILE = "fleet-"
"""How the files of its CRDs begin in the toolchain: plurals such as `works` are other managers' too."""
HEARTBEAT_SECONDS = 60
HUB_KUBECONFIG = "hub.kubeconfig"


@dataclass(frozen=True)
class Member:
    """As in Membership."""

    way: Way
    upstream: Upstream
    hub: str = names.HUB
    agent: str = names.MEMBER_AGENT
    ports: int = AGENT_PORTS

    async def leftover(self, hub: KubeClient, wecs: Mapping[str, KubeClient]) -> Collection[str]:
        """Those that leave, or whose WEC was made again since: its Works are taken for applied."""
        known = {item["metadata"]["name"]: item for item in await hub.list_all(MEMBER_CLUSTERS)}
        found = []
        for wec, client in wecs.items():
            metadata = known.get(wec, {}).get("metadata", {})
            noted = (metadata.get("annotations") or {}).get(names.WEC_ANNOTATION)
            if metadata and (metadata.get("deletionTimestamp") or noted != await _identity(client)):
                found.append(wec)
        return found

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """The CRD of the agent's records in the WEC, and its MemberCluster at the hub."""
        await ensure_crds(wec, read_crds([self.upstream.crd(f"{CRD_FILE}appliedworks")]), ledger)
        member = {
            "apiVersion": MEMBER_CLUSTERS.api_version,
            "kind": MEMBER_CLUSTERS.kind,
            "metadata": {
                "name": wec.cluster,
                "labels": {"name": wec.cluster},
                "annotations": {names.WEC_ANNOTATION: await _identity(wec)},
            },
            "spec": {
                "identity": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "User",
                    "name": names.user(wec.cluster),
                },
                "heartbeatPeriodSeconds": HEARTBEAT_SECONDS,
            },
        }
        await ensure(hub, MEMBER_CLUSTERS, member, ledger)

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:
        """A certificate of the user that the MemberCluster names."""
        if ledger.check:
            if not (folder / HUB_KUBECONFIG).exists():
                ledger.record(f"credential of {wec}", None, "present")
            return
        authority = Authority.ensure(site.layout.pki, "ca", common_name=f"{site.machine.fleet}-ca")
        pair = authority.issue(folder, "hub", Subject(names.user(wec)))
        server = self.way.link or self.way.server or stored_server(site.machine, self.hub)
        text = render_kubeconfig(server, authority.cert_file, pair.cert, pair.key, context)
        if write_private(folder / HUB_KUBECONFIG, text):
            ledger.record(f"credential of {wec}", None, "written")

    def program(self, site: Site, wec: str, folder: Path, port: int) -> Program:
        """Its agent."""
        variables = site.variables
        extra = Extra(variables.kubefleet_member_agent_extra_args, variables.kubefleet_member_agent_env)
        programs = AgentPrograms(site.layout, site.upstream, site.limits, extra)
        return programs.agent(wec, folder / HUB_KUBECONFIG, port)

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """As in Membership."""
        return await members.registrations(hub, wecs)

    async def let_go(self, hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:
        """As in Membership; what was delivered stays until `clear`."""
        await leaving.let_go(hub, wecs, ledger, seconds)

    async def clear(self, wec: KubeClient, ledger: Ledger) -> None:
        """As in Membership, with what was delivered."""
        await leaving.clear(wec, ledger)


async def _identity(wec: KubeClient) -> str:
    """The uid of a namespace that each cluster has from its first moment."""
    return str((await wec.get(NAMESPACES, "kube-system"))["metadata"]["uid"])
