"""The hub of KubeFleet: CRDs and a namespace, then its hub agent, until it works."""

from __future__ import annotations

import asyncio
from functools import partial

from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.install.crds import ensure_crds, read_crds
from fleet.install.objects import Ledger, ensure, namespace
from fleet.install.program_parts import Extra, started_by
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.kube.client import KubeClient
from fleet.kube.resources import NAMESPACES
from fleet.managers import hub_objects
from fleet.managers.installed import HUB as HUB_GROUP
from fleet.managers.installer import Site
from fleet.managers.kubefleet import names
from fleet.managers.kubefleet.membership import CRD_FILE
from fleet.managers.kubefleet.programs import HUB_PORTS, health, hub_agent

CRDS = (
    "internalmemberclusters",
    "memberclusters",
    "appliedworks",
    "clusterapprovalrequests",
    "clusterresourcebindings",
    "clusterresourceoverrides",
    "clusterresourceoverridesnapshots",
    "clusterresourceplacementdisruptionbudgets",
    "clusterresourceplacementevictions",
    "clusterresourceplacements",
    "clusterresourcesnapshots",
    "clusterschedulingpolicysnapshots",
    "clusterstagedupdateruns",
    "clusterstagedupdatestrategies",
    "resourceoverrides",
    "resourceoverridesnapshots",
    "works",
)
"""Plurals of its groups `cluster` and `placement`."""


def converge_hub(site: Site) -> Change:
    """Bring the hub about and wait until it works; with `site.machine.check` only say what would change.

    The control plane must be there (UsageError). Killed at any moment, the next call repairs.
    """
    layout, check = site.layout, site.machine.check
    hub_objects.demand(site, names.HUB)
    if not check:
        private_directory(layout.root / "hub")
    ledger = hub_objects.bring(site, names.HUB, partial(_objects, site))
    name = names.program(names.HUB_AGENT)
    port = site.machine.take(name, HUB_PORTS, in_use=name in site.machine.live_programs()).start
    extra = Extra(site.variables.kubefleet_hub_agent_extra_args, site.variables.kubefleet_hub_agent_env)
    program = hub_agent(layout, site.upstream, port, site.limits, extra)
    programs = started_by(site.variables.manager_restart, [program])
    change = site.machine.supervisor.converge(HUB_GROUP, programs, check=check)
    if not check:
        works = partial(metrics_answer, health(port))
        asyncio.run(until_it_works(site.machine.supervisor, name, works, "it was not healthy"))
    return Change.merge([ledger.change, change])


async def _objects(site: Site, hub: KubeClient, ledger: Ledger) -> None:
    crds = read_crds(site.upstream.crd(f"{CRD_FILE}{plural}") for plural in CRDS)
    await ensure_crds(hub, crds, ledger)
    await ensure(hub, NAMESPACES, namespace(names.SYSTEM_NAMESPACE), ledger)
