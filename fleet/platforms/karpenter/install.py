"""Karpenter in one WEC: its kinds, its rights and its controller; its machines are nodes that the WEC's kwok plays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from fleet.host.pages import PPROF, Pages, Reader, Started
from fleet.host.plan import PLAIN, NodeShape, Plan
from fleet.host.weight import MIB, Weight
from fleet.install.crds import ensure_crds, read_crds
from fleet.install.objects import Ledger, ensure, ensure_all, remove
from fleet.install.program_parts import loopback
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CRDS, Resource
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables
from fleet.platforms.karpenter import names, objects, programs
from fleet.platforms.platform import Needs, Platform, Seat, Start

PLAYER = "kwok"
TAINT = {"key": "fleet-testbed/not-of-karpenter", "effect": "NoSchedule"}
"""Of the nodes that the fleet itself makes: a pod with nowhere to go is Karpenter's cause to act."""
SHAPE = NodeShape(taints=(TAINT,))
GONE_SECONDS = 300.0


def _pages(started: Started) -> Pages:
    """It listens on all addresses and knows no TLS: it is read over loopback."""
    port = started.flag("metrics-port")
    if port in ("", "0"):
        return Pages()
    profiled = started.flag("enable-profiling") == "true"
    base = f"http://{loopback(int(port))}"
    return Pages(f"{base}/metrics", f"{base}{PPROF}" if profiled else "")


class Karpenter(Platform):
    """As in Platform."""

    components = (names.CONTROLLER,)
    versioned_by = names.CONTROLLER
    pages: Mapping[str, Reader] = {names.CONTROLLER: _pages}
    weight = Weight(150 * MIB, 2, 8, 20, 2, 20 * MIB)

    def problems(self, variables: Variables) -> Iterator[Problem]:
        """As in Platform: its provider makes Node objects and leaves it to kwok to play them."""
        if variables.node_simulator != PLAYER:
            yield Problem(
                "node_simulator",
                f"{variables.node_simulator} plays none of the nodes that karpenter makes: leave it at {PLAYER}",
            )

    def needs(self, variables: Variables) -> Needs:
        """As in Platform: pods go to the nodes that it makes and to no others."""
        return Needs(nodes=SHAPE if variables.wec_nodes else PLAIN)

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        return programs.plan(seat)

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform."""
        if ledger.check and not await _served(client, names.NODE_CLASSES):  # perhaps not even built yet
            ledger.record(f"{seat.wec} {names.CONTROLLER}", None, "installed")
            return
        await ensure_crds(client, read_crds(map(seat.upstream.crd, names.CRD_FILES)), ledger)
        await ensure_all(client, objects.before(), ledger)
        await ensure(client, names.NODE_CLASSES, objects.node_class(), ledger)
        if ledger.check:
            return
        program = names.program(seat.wec)
        start([program])
        _, health = programs.ports(seat)
        ready = partial(metrics_answer, f"http://{loopback(health)}/readyz")
        await until_it_works(seat.machine.supervisor, program, ready, "it is not ready")

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform: NodePools first, so that Karpenter itself drains and removes the nodes that it made."""
        if ledger.check:
            return
        for resource in (names.NODE_POOLS, names.NODE_CLAIMS):
            if await _served(client, resource):
                await _emptied(client, resource, seat.wec)
        if await _served(client, names.NODE_CLASSES):
            await _emptied(client, names.NODE_CLASSES, seat.wec)
        for resource, manifest in reversed(list(objects.before())):
            metadata = manifest["metadata"]
            await remove(client, resource, metadata["name"], metadata.get("namespace"))
        for crd in read_crds(map(seat.upstream.crd, names.CRD_FILES)):
            await remove(client, CRDS, crd["metadata"]["name"])


async def _served(client: KubeClient, resource: Resource) -> bool:
    """Whether the API server serves the kind."""
    try:
        await client.list(resource, limit=1)
    except NotFound:
        return False
    return True


async def _emptied(client: KubeClient, resource: Resource, wec: str) -> None:
    """Delete all of a kind and wait until they are gone."""
    left: list[str] = []

    async def gone() -> bool:
        left[:] = [item["metadata"]["name"] for item in await client.list_all(resource)]
        return not left

    for item in await client.list_all(resource):
        await remove(client, resource, item["metadata"]["name"])
    await until(
        gone,
        GONE_SECONDS,
        lambda: (
            f"{wec}: {len(left)} {resource} are still there ({', '.join(left[:3])}): see the log of"
            f" {names.program(wec)}"
        ),
        progress=lambda: -len(left),
    )


PLATFORM = Karpenter()
