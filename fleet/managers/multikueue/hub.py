"""The hub of MultiKueue: definitions and a flavour, then its one program, until it works."""

from __future__ import annotations

import asyncio
from functools import partial

from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, ensure_all
from fleet.install.program_parts import Extra, started_by
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.kube.client import KubeClient
from fleet.managers import hub_objects
from fleet.managers.installed import HUB as HUB_GROUP
from fleet.managers.installer import Site
from fleet.managers.multikueue import names, objects
from fleet.managers.multikueue.programs import Kueue
from fleet.model.client_limits import ClientLimits

QPS_ENV, BURST_ENV = "FLEET_MULTIKUEUE_DISPATCH_QPS", "FLEET_MULTIKUEUE_DISPATCH_BURST"


def controller(site: Site) -> Kueue:
    """The hub's program."""
    rates = site.limits.multikueue_hub_qps, site.limits.multikueue_hub_burst
    return Kueue.of(site, names.CONTROLLER, names.HUB, site.layout.root / "hub", rates)


def dispatch(limits: ClientLimits) -> dict[str, str]:
    """Environment that sets the limit of its clients of workers; none at client-go's own, and the program is then as
    upstream made it (toolchain/kueue/_patches)."""
    own = ClientLimits()
    chosen = limits.multikueue_dispatch_qps, limits.multikueue_dispatch_burst
    if chosen == (own.multikueue_dispatch_qps, own.multikueue_dispatch_burst):
        return {}
    return {QPS_ENV: f"{chosen[0]:g}", BURST_ENV: str(chosen[1])}


def converge_hub(site: Site) -> Change:
    """Bring the hub about and wait until it works; with `site.machine.check` only say what would change.

    The control plane must be there (UsageError). Killed at any moment, the next call repairs.
    """
    layout, check = site.layout, site.machine.check
    hub_objects.demand(site, names.HUB)
    if not check:
        private_directory(layout.root / "hub")
    kueue = controller(site)
    ledger = hub_objects.bring(site, names.HUB, partial(_objects, site, kueue))
    kueue.write(ledger)
    extra = Extra(site.variables.multikueue_controller_extra_args, site.variables.multikueue_controller_env)
    programs = started_by(site.variables.manager_restart, [kueue.program(extra, 310, dispatch(site.limits))])
    change = site.machine.supervisor.converge(HUB_GROUP, programs, check=check)
    if not check:
        works = partial(metrics_answer, kueue.ready_page)
        asyncio.run(until_it_works(site.machine.supervisor, kueue.name, works, "it does not say that it is ready"))
    return Change.merge([ledger.change, change])


async def _objects(site: Site, kueue: Kueue, hub: KubeClient, ledger: Ledger) -> None:
    if await ensure_crds(hub, objects.definitions(site.upstream, kueue.port), ledger) and ledger.check:
        return
    await ensure_all(hub, objects.common(), ledger)
