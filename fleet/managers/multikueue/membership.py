"""A WEC as a worker of a MultiKueue hub: a Kueue of its own with a queue, and a MultiKueueCluster at the hub."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.host.supervisor_config import Program
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, ensure, ensure_all
from fleet.install.program_parts import AGENT_ENV, Extra
from fleet.kube.client import KubeClient
from fleet.managers.installed import AGENTS
from fleet.managers.installer import Site
from fleet.managers.manager import Registration
from fleet.managers.multikueue import leaving, members, names, objects
from fleet.managers.multikueue.programs import PORTS, Kueue
from fleet.platforms.kueue import names as kueue


@dataclass(frozen=True)
class Member:
    """As in Membership."""

    site: Site
    hub: str = names.HUB
    agent: str = names.WORKER
    ports: int = PORTS

    def worker(self, wec: str) -> Kueue:
        """The WEC's program."""
        limits = self.site.limits
        rates = limits.multikueue_worker_qps, limits.multikueue_worker_burst
        return Kueue.of(self.site, names.WORKER, wec, self.site.layout.root / AGENTS / wec, rates)

    async def leftover(self, hub: KubeClient, wecs: Mapping[str, KubeClient]) -> Collection[str]:
        """Those that leave."""
        known = {item["metadata"]["name"]: item["metadata"] for item in await hub.list_all(names.CLUSTERS)}
        return [wec for wec in wecs if known.get(wec, {}).get("deletionTimestamp")]

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """Definitions, quotas and a queue in the WEC, and its MultiKueueCluster at the hub."""
        made = objects.definitions(self.site.upstream, self.worker(wec.cluster).port)
        if not (await ensure_crds(wec, made, ledger) and ledger.check):
            await ensure_all(wec, objects.common(), ledger)
            await ensure(wec, kueue.CLUSTER_QUEUES, objects.worker_queue(), ledger)
        await ensure(hub, names.CLUSTERS, objects.member(wec.cluster, self._kubeconfig(wec.cluster)), ledger)

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:  # noqa: ARG002
        """The WEC's own kubeconfig serves both its program and the hub's."""
        self.worker(wec).write(ledger)

    def program(self, site: Site, wec: str, folder: Path, port: int) -> Program:  # noqa: ARG002 - as of every manager
        """Its program."""
        variables = site.variables
        extra = Extra(variables.multikueue_worker_extra_args, variables.multikueue_worker_env)
        return self.worker(wec).program(extra, 400, AGENT_ENV)

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """As in Membership."""
        return await members.registrations(hub, wecs)

    async def let_go(self, hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:  # noqa: ARG002
        """As in Membership; what was dispatched stays until `clear`."""
        await leaving.let_go(hub, wecs)

    async def clear(self, wec: KubeClient, ledger: Ledger) -> None:
        """As in Membership, with what was dispatched."""
        await leaving.clear(wec, ledger)

    def _kubeconfig(self, wec: str) -> Path:
        return self.site.layout.kubeconfig(wec)
