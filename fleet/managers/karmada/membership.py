"""A WEC as a member of a Karmada hub: its agent registers it (pull), or the hub is given an account in it (push)."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.host.authority import Authority, Subject
from fleet.host.files import write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import Program
from fleet.install.objects import Ledger, ensure, namespace, remove
from fleet.install.program_parts import Extra
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    KARMADA_CLUSTERS,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from fleet.managers.installer import Site, Way
from fleet.managers.karmada import leaving, members, names
from fleet.managers.karmada.hub_objects import bound
from fleet.managers.karmada.programs import PORTS, AgentPrograms
from fleet.managers.manager import Registration

TOKEN_SECONDS = 30 * 86400
"""As long as the fleet's certificates live."""
RENEW_SECONDS = TOKEN_SECONDS // 3
ACCOUNT_ANNOTATION, UNTIL_ANNOTATION = "fleet-testbed/account", "fleet-testbed/until"
"""On the Secret with a token: the uid of its account, and when it ends (Unix time)."""
CLEAR_SECONDS, POLL_SECONDS = 60.0, 0.5
HUB_KUBECONFIG = "hub.kubeconfig"


@dataclass(frozen=True)
class _Member:
    """What both modes have in common."""

    way: Way
    ca: Path
    """The fleet's authority: hub and WECs have their certificates of it."""
    hub: str = names.HUB
    agent: str = names.AGENT
    ports: int = 0
    mode: str = ""

    async def leftover(self, hub: KubeClient, wecs: Mapping[str, KubeClient]) -> Collection[str]:
        """Those that leave, are members in the other mode, or were made again since: a Cluster has the id of its
        WEC."""
        clusters = {item["metadata"]["name"]: item for item in await hub.list_all(KARMADA_CLUSTERS)}
        found = []
        for wec, client in wecs.items():
            cluster = clusters.get(wec)
            if cluster is not None and (
                cluster["metadata"].get("deletionTimestamp")
                or cluster["spec"].get("syncMode", "").lower() != self.mode
                or cluster["spec"].get("id") != await identity(client)
            ):
                found.append(wec)
        return found

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """As in Membership."""
        return await members.registrations(hub, wecs)

    async def let_go(self, hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:
        """As in Membership."""
        await leaving.let_go(hub, wecs, ledger, seconds)

    async def clear(self, wec: KubeClient, ledger: Ledger) -> None:
        """The account, and the namespace that agents make too."""
        spaces = await wec.list_all(NAMESPACES, field_selector=f"metadata.name={names.CLUSTER_NAMESPACE}")
        roles = await wec.list_all(CLUSTER_ROLE_BINDINGS, field_selector=f"metadata.name={names.ACCOUNT}")
        for found in (*spaces, *roles):
            ledger.record(f"{wec.cluster} {found['metadata']['name']}", "present", None)
        if ledger.check:
            return
        if roles:
            await remove(wec, CLUSTER_ROLE_BINDINGS, names.ACCOUNT)
        if spaces:
            await remove(wec, NAMESPACES, names.CLUSTER_NAMESPACE)

        async def count() -> int:
            return len(await wec.list_all(NAMESPACES, field_selector=f"metadata.name={names.CLUSTER_NAMESPACE}"))

        if await drained(count, CLEAR_SECONDS, POLL_SECONDS):
            ledger.notes.append(f"{wec.cluster}: the namespace {names.CLUSTER_NAMESPACE} is still being deleted")


@dataclass(frozen=True)
class Pull(_Member):
    """The agent makes the Cluster and fetches the WEC's Works."""

    ports: int = PORTS[names.AGENT]
    mode: str = "pull"

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """Nothing: the agent makes what it needs."""

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:
        """A certificate of its own, by which the hub knows it."""
        subject = Subject(f"fleet:karmada-agent:{wec}", (names.AGENTS_GROUP,))
        if ledger.check:
            if not (folder / HUB_KUBECONFIG).exists():
                ledger.record(f"credential of {wec}", None, "present")
            return
        authority = Authority.ensure(site.layout.pki, "ca", common_name=f"{site.machine.fleet}-ca")
        pair = authority.issue(folder, "hub", subject)
        server = self.way.link or self.way.server or _server(site, self.hub)
        text = render_kubeconfig(server, authority.cert_file, pair.cert, pair.key, context)
        if write_private(folder / HUB_KUBECONFIG, text):
            ledger.record(f"credential of {wec}", None, "written")

    def program(self, site: Site, wec: str, folder: Path, port: int) -> Program:
        """Its agent."""
        variables = site.variables
        extra = Extra(variables.karmada_agent_extra_args, variables.karmada_agent_env)
        programs = AgentPrograms(site.layout, site.upstream, site.limits, extra)
        return programs.agent(wec, _server(site, wec), folder / HUB_KUBECONFIG, port)


@dataclass(frozen=True)
class Push(_Member):
    """The hub writes into the WEC with a token of an account there."""

    mode: str = "push"

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """The account in the WEC, its token at the hub, and the Cluster."""
        name = wec.cluster
        account = {"metadata": {"name": names.ACCOUNT, "namespace": names.CLUSTER_NAMESPACE}}
        labelled = {"metadata": {"labels": {names.SYSTEM_LABEL: "true"}}}
        space = namespace(names.CLUSTER_NAMESPACE)
        await ensure(wec, NAMESPACES, space | {"metadata": space["metadata"] | labelled["metadata"]}, ledger)
        body = {"apiVersion": "v1", "kind": SERVICE_ACCOUNTS.kind, **account}
        await ensure(wec, SERVICE_ACCOUNTS, body, ledger)
        role = bound(names.ACCOUNT, "cluster-admin", account=(names.CLUSTER_NAMESPACE, names.ACCOUNT))
        await ensure(wec, CLUSTER_ROLE_BINDINGS, role, ledger)
        await self._token(hub, wec, ledger)
        reference = {"namespace": names.CLUSTER_NAMESPACE, "name": name}
        cluster = {
            "apiVersion": KARMADA_CLUSTERS.api_version,
            "kind": KARMADA_CLUSTERS.kind,
            "metadata": {"name": name},
            "spec": {
                "apiEndpoint": wec.server,
                "syncMode": "Push",
                "id": await identity(wec),
                "secretRef": reference,
                "impersonatorSecretRef": reference,
            },
        }
        await ensure(hub, KARMADA_CLUSTERS, cluster, ledger)

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:
        """None on this machine: the hub has the token."""

    def program(self, site: Site, wec: str, folder: Path, port: int) -> None:
        """The hub does all."""

    async def _token(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """A Secret with a token of the account as it is now, with time left."""
        try:
            account = await wec.get(SERVICE_ACCOUNTS, names.ACCOUNT, names.CLUSTER_NAMESPACE)
        except NotFound:  # check mode
            ledger.record(f"{hub.cluster} token of {wec.cluster}", None, "present")
            return
        uid = str(account["metadata"]["uid"])
        try:
            known = await hub.get(SECRETS, wec.cluster, names.CLUSTER_NAMESPACE)
            notes = known["metadata"].get("annotations") or {}
        except NotFound:
            notes = {}
        until = float(notes.get(UNTIL_ANNOTATION) or 0)
        if notes.get(ACCOUNT_ANNOTATION) == uid and until - time.time() > RENEW_SECONDS:
            return
        ledger.record(f"{hub.cluster} token of {wec.cluster}", None, "present")
        if not ledger.check:
            await ensure(hub, SECRETS, await self._secret(wec, uid), Ledger())

    async def _secret(self, wec: KubeClient, uid: str) -> dict[str, Any]:
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        path = SERVICE_ACCOUNTS.path(names.ACCOUNT, names.CLUSTER_NAMESPACE, "token")
        answer = (await wec.request("POST", path, body=asked)).json()
        notes = {ACCOUNT_ANNOTATION: uid, UNTIL_ANNOTATION: str(int(time.time()) + TOKEN_SECONDS)}
        return {
            "apiVersion": "v1",
            "kind": SECRETS.kind,
            "metadata": {"name": wec.cluster, "namespace": names.CLUSTER_NAMESPACE, "annotations": notes},
            "data": {
                "token": base64.b64encode(str(answer["status"]["token"]).encode()).decode("ascii"),
                "caBundle": base64.b64encode(self.ca.read_bytes()).decode("ascii"),
            },
        }


async def identity(wec: KubeClient) -> str:
    """What Karmada knows a cluster by: the uid of a namespace that each has from its first moment."""
    return str((await wec.get(NAMESPACES, "kube-system"))["metadata"]["uid"])


def _server(site: Site, name: str) -> str:
    """URL of a control plane of this machine; empty in check mode where it is not there yet."""
    return next((plane.server for plane in stored_planes(site.layout) if plane.name == name), "")
