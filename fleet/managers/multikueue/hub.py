"""The hub of MultiKueue: definitions and a flavour, then its one program, until it works."""

from __future__ import annotations

import asyncio
from functools import partial

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.install import dial
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, ensure_all
from fleet.install.program_parts import Extra, started_by
from fleet.install.readiness import metrics_answer, until_it_works
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
    missing = not layout.kubeconfig(names.HUB).exists()
    if missing and not check:
        raise UsageError(f"control plane {names.HUB} is not on this machine: build the control planes first")
    if not check:
        private_directory(layout.root / "hub")
    ledger, kueue = Ledger(check=check), controller(site)
    if missing:
        ledger.record(f"{names.HUB} objects of the hub", None, "present")
    else:
        asyncio.run(_objects(site, kueue, ledger))
    kueue.write(ledger)
    extra = Extra(site.variables.multikueue_controller_extra_args, site.variables.multikueue_controller_env)
    programs = started_by(site.variables.manager_restart, [kueue.program(extra, 310, dispatch(site.limits))])
    change = site.machine.supervisor.converge(HUB_GROUP, programs, check=check)
    if not check:
        works = partial(metrics_answer, kueue.ready_page)
        asyncio.run(until_it_works(site.machine.supervisor, kueue.name, works, "it does not say that it is ready"))
    return Change.merge([ledger.change, change])


async def _objects(site: Site, kueue: Kueue, ledger: Ledger) -> None:
    async with dial.client(site.layout, names.HUB) as hub:
        if ledger.check and not await dial.answers(hub):
            ledger.record(f"{names.HUB} objects of the hub", None, "present")
            return
        if await ensure_crds(hub, objects.definitions(site.upstream, kueue.port), ledger) and ledger.check:
            return
        await ensure_all(hub, objects.common(), ledger)
