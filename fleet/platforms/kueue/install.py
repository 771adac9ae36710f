"""Kueue in one WEC: its definitions and webhooks, its one program, and when that works."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress

from fleet.errors import KubeError
from fleet.host.files import write_private
from fleet.host.pages import Reader
from fleet.host.plan import Plan
from fleet.host.weight import MIB, Weight
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, ensure, ensure_all, namespace, remove
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CRDS, NAMESPACES, SECRETS, Resource
from fleet.platforms import loopback
from fleet.platforms.kueue import names, objects, pages, programs
from fleet.platforms.kueue.places import Places
from fleet.platforms.platform import Platform, Seat, Start

GONE_SECONDS = 120.0


class Kueue(Platform):
    """As in Platform."""

    components = (names.CONTROLLER,)
    versioned_by = names.CONTROLLER
    pages: Mapping[str, Reader] = {names.CONTROLLER: pages.read}
    weight = Weight(150 * MIB, 3, 16, 40, 3, 5 * MIB)

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        return programs.plan(Places.of(seat))

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform."""
        places = Places.of(seat)
        await ensure(client, NAMESPACES, namespace(names.NAMESPACE), ledger)
        await loopback.allow(client, ledger)
        await ensure_crds(client, objects.definitions(seat.upstream, places), ledger)
        await ensure_all(client, objects.placed(places), ledger)
        if ledger.check:
            return
        start([names.program(seat.wec)])
        await _works(places, client, ledger)

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform: what it admits first, while its program still runs and takes finalizers off."""
        if ledger.check:
            return
        for resource in (names.WORKLOADS, names.LOCAL_QUEUES, names.CLUSTER_QUEUES, names.FLAVORS):
            await _gone(client, resource, seat.wec)
        for resource, manifest in reversed(list(objects.placed(Places.of(seat)))):
            await remove(client, resource, manifest["metadata"]["name"], manifest["metadata"].get("namespace"))
        for plural in names.DEFINITIONS:
            await remove(client, CRDS, f"{plural}.{names.GROUP}")
        await remove(client, NAMESPACES, names.NAMESPACE)
        await loopback.forget(client)


async def _works(places: Places, client: KubeClient, ledger: Ledger) -> None:
    """It makes a certificate and waits for it as a file; then its webhooks let a ResourceFlavor pass."""
    supervisor, program = places.seat.machine.supervisor, names.program(places.seat.wec)

    async def copied() -> bool:
        found = (await client.get(SECRETS, names.SECRET, names.NAMESPACE)).get("data") or {}
        wanted = [base64.b64decode(found.get(key) or "") for key in ("tls.crt", "tls.key")]
        if not all(wanted):
            return False
        for path, data in zip(reversed(places.pair), reversed(wanted), strict=True):  # it waits for the certificate
            if write_private(path, data):
                ledger.record(f"file {path.relative_to(places.seat.machine.root)}", None, "copied")
        return True

    async def ready() -> bool:
        return await metrics_answer(f"http://127.0.0.1:{places.health}/readyz")

    async def passes() -> bool:
        with suppress(KubeError):
            await client.request("POST", names.FLAVORS.path(), params={"dryRun": "All"}, body=objects.probe())
            return True
        return False

    await until_it_works(supervisor, program, copied, "it made no certificate for its webhooks")
    await until_it_works(supervisor, program, ready, "it does not say that it is ready")
    await until_it_works(supervisor, program, passes, "no ResourceFlavor passes its webhooks")


async def _gone(client: KubeClient, resource: Resource, wec: str) -> None:
    """Delete all of a kind, and wait until none is left; nothing where the kind is not served."""

    async def none_left() -> bool:
        found = await client.list_all(resource)
        for item in found:
            meta = item["metadata"]
            if not meta.get("deletionTimestamp"):
                await remove(client, resource, meta["name"], meta.get("namespace"))
        return not found

    with suppress(NotFound):
        await until(none_left, GONE_SECONDS, lambda: f"{wec}: {resource} are still there: see the log of kueue.{wec}")


PLATFORM = Kueue()
"""Finds Kueue by its folder."""
