"""Kyverno in one WEC: its definitions and rights, then its controllers as programs."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.host.pages import Reader
from fleet.host.plan import Plan
from fleet.host.weight import MIB, Weight
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, ensure_all, remove
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.resources import CRDS, MUTATING_WEBHOOKS, NAMESPACES, VALIDATING_WEBHOOKS
from fleet.model.variables import Variables
from fleet.platforms.kyverno import init, names, objects, pages, programs, ready
from fleet.platforms.kyverno.places import Places
from fleet.platforms.platform import Needs, Platform, Seat, Start

AGGREGATION = "clusterrole-aggregation-controller"
"""Kyverno's roles are put together by it from parts."""
GONE_SECONDS = 300.0


class Kyverno(Platform):
    """As in Platform."""

    components = names.CONTROLLERS
    versioned_by = names.ADMISSION
    pages: Mapping[str, Reader] = dict.fromkeys(names.CONTROLLERS, pages.of_controller)
    weight = Weight(600 * MIB, 6, 24, 60, 7, 30 * MIB)

    def needs(self, variables: Variables) -> Needs:  # noqa: ARG002
        """As in Platform: its roles are aggregated; a MutatingPolicy is applied by the schema of what it changes."""
        return Needs(openapi=True, controllers=(AGGREGATION,))

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        return programs.plan(Places.of(seat))

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform."""
        places, made = Places.of(seat), objects.manifest(seat.upstream)
        await ensure_crds(client, made.crds, ledger)
        await ensure_all(client, made.placed(), ledger)
        if ledger.check:
            return
        await ready.rights(client, made)
        if not await init.has_run(client):
            await init.run(places)
        start(names.program(component, seat.wec) for component in names.CONTROLLERS)
        await ready.works(places, client)

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform. Its programs end first: they would write their webhook configurations again."""
        if ledger.check:
            return
        supervisor = seat.machine.supervisor
        ours = {names.program(component, seat.wec) for component in names.CONTROLLERS}
        supervisor.end(sorted(ours & {state.name for state in supervisor.states()}))
        for resource in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS):
            for webhook in await client.list_all(resource, label_selector=names.MANAGED):
                await remove(client, resource, webhook["metadata"]["name"])
        made = objects.manifest(seat.upstream)
        for crd in made.crds:
            await remove(client, CRDS, crd["metadata"]["name"])
        for resource, manifest in reversed(list(made.placed())):
            metadata = manifest["metadata"]
            await remove(client, resource, metadata["name"], metadata.get("namespace"))
        await until(
            lambda: _gone(client),
            GONE_SECONDS,
            lambda: f"{seat.wec}: definitions or the namespace of Kyverno are still being removed",
        )


async def _gone(client: KubeClient) -> bool:
    """Its definitions, with all objects of their kinds, and its namespace."""
    crds = await client.list_all(CRDS)
    spaces = await client.list_all(NAMESPACES)
    return not any(crd["spec"]["group"] in names.GROUPS for crd in crds) and not any(
        space["metadata"]["name"] == names.NAMESPACE for space in spaces
    )


PLATFORM = Kyverno()
