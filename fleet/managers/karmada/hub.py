"""The hub of Karmada: CRDs, aggregated API, webhooks and rights, then its four programs, until all of them work."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus

from fleet.host.authority import Authority, Subject
from fleet.host.change import Change
from fleet.host.files import private_directory
from fleet.host.https import Endpoint
from fleet.host.stores import plan_store
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.crds import ensure_crds, read_crds
from fleet.install.objects import Ledger, ensure_all
from fleet.install.program_parts import Extra, loopback, started_by
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.errors import NotFound
from fleet.kube.resources import API_SERVICES, KARMADA_CLUSTERS
from fleet.managers import hub_objects
from fleet.managers.installed import HUB as HUB_GROUP
from fleet.managers.installer import Site
from fleet.managers.karmada import names
from fleet.managers.karmada.hub_objects import CRDS, aggregated_names, objects
from fleet.managers.karmada.programs import PORTS, HubPrograms, health

CRD_FILE = "karmada-"
"""How the files of its CRDs begin in the toolchain: plurals such as `works` are other managers' too."""


def converge_hub(site: Site) -> Change:
    """Bring the hub about and wait until it works; with `site.machine.check` only say what would change.

    The control plane must be there (UsageError). Killed at any moment, the next call repairs.
    """
    layout, check = site.layout, site.machine.check
    hub_objects.demand(site, names.HUB)
    if not check:
        private_directory(layout.root / "hub")
        _serving(site)
    ledger = hub_objects.bring(site, names.HUB, partial(_objects, site))
    programs = started_by(site.variables.manager_restart, _programs(site))
    change = site.machine.supervisor.converge(HUB_GROUP, programs, check=check)
    if not check:
        asyncio.run(_wait(site))
    return Change.merge([ledger.change, change])


def _serving(site: Site) -> None:
    """Certificates of the fleet for the two that the hub's API server asks."""
    authority = Authority.ensure(site.layout.pki, "ca", common_name=f"{site.machine.fleet}-ca")
    folder = site.layout.root / "hub" / "pki"
    authority.issue(folder, names.AGGREGATED, Subject(names.AGGREGATED, (), aggregated_names(), client=False))
    local = ("127.0.0.1", "localhost")
    authority.issue(folder / names.WEBHOOK, "tls", Subject(names.WEBHOOK, (), local, client=False))


async def _objects(site: Site, hub: KubeClient, ledger: Ledger) -> None:
    crds = read_crds(site.upstream.crd(f"{CRD_FILE}{plural}") for plural in CRDS)
    if await ensure_crds(hub, crds, ledger) and ledger.check:
        return
    ca = site.layout.pki / "ca.crt"
    made = objects(ca, _port(site, names.AGGREGATED), _port(site, names.WEBHOOK))
    await ensure_all(hub, made, ledger)


def _programs(site: Site) -> list[Program]:
    variables, made = site.variables, HubPrograms(site.layout, site.upstream, site.limits)
    block = site.machine.registry.find(site.machine.fleet, names.HUB)
    first = block.start if block is not None else 0
    folder = site.layout.cluster(names.HUB)
    store = plan_store(names.HUB, folder / "etcd", folder / "pki", first + 1, first + 2)
    return [
        made.aggregated(
            _port(site, names.AGGREGATED),
            store,
            Extra(variables.karmada_aggregated_apiserver_extra_args, variables.karmada_aggregated_apiserver_env),
        ),
        made.webhook(
            _port(site, names.WEBHOOK), Extra(variables.karmada_webhook_extra_args, variables.karmada_webhook_env)
        ),
        made.controller(
            _port(site, names.CONTROLLER),
            Extra(variables.karmada_controller_manager_extra_args, variables.karmada_controller_manager_env),
        ),
        made.scheduler(
            _port(site, names.SCHEDULER), Extra(variables.karmada_scheduler_extra_args, variables.karmada_scheduler_env)
        ),
    ]


def _port(site: Site, component: str) -> int:
    """The first of a program's ports."""
    name = names.program(component)
    return site.machine.take(name, PORTS[component], in_use=name in site.machine.live_programs()).start


async def _wait(site: Site) -> None:
    supervisor = site.machine.supervisor
    async with dial.client(site.layout, names.HUB) as hub:
        await until_it_works(
            supervisor, names.program(names.AGGREGATED), lambda: _served(hub), "the hub does not serve Clusters"
        )
    webhook = site.machine.endpoint(names.HUB, f"https://{loopback(_port(site, names.WEBHOOK))}")
    name = names.program(names.WEBHOOK)
    await until_it_works(supervisor, name, partial(_answers, webhook), "it does not answer the hub")
    for component in (names.CONTROLLER, names.SCHEDULER):
        works = partial(metrics_answer, health(_port(site, component)))
        await until_it_works(supervisor, names.program(component), works, "it was not healthy")


async def _answers(webhook: Endpoint) -> bool:
    """Whether it says on the port that the hub asks that it is ready: on its own it has no page for that."""

    def ask() -> bool:
        try:
            return webhook.request("GET", "/readyz/").status == HTTPStatus.OK
        except OSError:
            return False

    return await asyncio.to_thread(ask)


async def _served(hub: KubeClient) -> bool:
    """Whether the hub leads to the aggregated API server."""
    name = f"{KARMADA_CLUSTERS.version}.{KARMADA_CLUSTERS.group}"
    try:
        return condition(await hub.get(API_SERVICES, name), "Available")
    except NotFound:
        return False
