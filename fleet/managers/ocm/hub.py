"""The hub of plain OCM: CRDs, identities and the cluster set, then its three programs, until all of them work."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.crds import ensure_crds, read_crds
from fleet.install.objects import Ledger, ensure, ensure_all, namespace
from fleet.install.program_parts import Extra, started_by
from fleet.kube.client import KubeClient
from fleet.kube.resources import NAMESPACES
from fleet.managers import hub_objects
from fleet.managers.installer import Site
from fleet.managers.ocm import names, ready, serving
from fleet.managers.ocm.identities import bootstrap_objects, registrar_objects
from fleet.managers.ocm.programs import HUB_PORTS, PLACING_PORTS, HubPrograms, temporary
from fleet.managers.ocm.ready import CLUSTER_SETS

REGISTRATION_CRDS = (
    "managedclusters",
    "managedclustersets",
    "managedclustersetbindings",
    "manifestworks",
    "managedclusteraddons",
)
"""Plurals. The registration controller watches all of them, and exits after ten minutes when one is missing."""
PLACING_CRDS = ("placements", "placementdecisions", "addonplacementscores", "manifestworkreplicasets")
"""What placement and work manager watch."""
FLEET_SET = "fleet"
"""A cluster set with every WEC: a Placement selects nothing without a binding of a set in its namespace."""
PORT_OWNER = "hub"
PLACING_PORT_OWNER = "placing."
"""And the name of the hub."""


def converge_hub(site: Site, hub: str) -> Change:
    """Bring the hub about and wait until it works; with `site.machine.check` only say what would change.

    The control plane must be there (UsageError). Killed at any moment, the next call repairs.
    """
    layout, check = site.layout, site.machine.check
    hub_objects.demand(site, hub)
    if not check:
        for folder in (layout.root / "hub", temporary(layout)):
            private_directory(folder)
        serving.ensure(layout, site.machine.fleet)
    ledger = hub_objects.bring(site, hub, partial(_objects, site))
    programs = started_by(site.variables.manager_restart, _programs(site, hub))
    change = site.machine.supervisor.converge(names.HUB_GROUP, programs, check=check)
    if not check:
        asyncio.run(_wait(site, hub))
    return Change.merge([ledger.change, change])


async def ensure_hub(its: KubeClient, crds: list[dict[str, Any]], ledger: Ledger) -> bool:
    """CRDs, then namespaces and identities: all that every OCM hub holds before a program starts. False in check mode
    when CRDs are missing, so that nothing more can be learned."""
    changed = await ensure_crds(its, crds, ledger)
    if ledger.check and changed:
        return False
    for own in (names.HUB_NAMESPACE, names.OCM_NAMESPACE):
        await ensure(its, NAMESPACES, namespace(own), ledger)
    await ensure_all(its, [*bootstrap_objects(), *registrar_objects()], ledger)
    return True


def cluster_set() -> dict[str, Any]:
    """All clusters of the hub, whatever labels they have."""
    selector = {"selectorType": "LabelSelector", "labelSelector": {}}
    return {
        "apiVersion": CLUSTER_SETS.api_version,
        "kind": CLUSTER_SETS.kind,
        "metadata": {"name": FLEET_SET},
        "spec": {"clusterSelector": selector},
    }


async def _objects(site: Site, hub: KubeClient, ledger: Ledger) -> None:
    crds = read_crds(site.upstream.crd(plural) for plural in (*REGISTRATION_CRDS, *PLACING_CRDS))
    if await ensure_hub(hub, crds, ledger):
        await ensure(hub, CLUSTER_SETS, cluster_set(), ledger)


def _programs(site: Site, hub: str) -> list[Program]:
    variables, made = site.variables, HubPrograms(site.layout, hub, site.upstream, site.limits)
    own, placing = _ports(site, hub)
    return [
        made.registration(own, Extra(variables.hub_registration_extra_args, variables.hub_registration_env)),
        made.placement(placing, Extra(variables.hub_placement_extra_args, variables.hub_placement_env)),
        made.work_manager(placing + 1, Extra(variables.hub_work_manager_extra_args, variables.hub_work_manager_env)),
    ]


def _ports(site: Site, hub: str) -> tuple[int, int]:
    """Of the registration controller, and the first of the two others."""
    machine, live = site.machine, site.machine.live_programs()
    placing = {names.placement_program(hub), names.work_manager_program(hub)}
    own = machine.take(PORT_OWNER, HUB_PORTS, in_use=names.registration_program(hub) in live)
    others = machine.take(f"{PLACING_PORT_OWNER}{hub}", PLACING_PORTS, in_use=bool(live & placing))
    return own.start, others.start


async def _wait(site: Site, name: str) -> None:
    supervisor, (_, placing) = site.machine.supervisor, _ports(site, name)
    async with dial.client(site.layout, name) as hub:
        await ready.registration(hub, supervisor, names.registration_program(name))
    for number, program in enumerate((names.placement_program(name), names.work_manager_program(name))):
        await ready.healthy(site.machine, name, program, placing + number)
