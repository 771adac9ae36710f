"""KubeVirt in one WEC: the operator installs it, we run what its Deployments would, and wait until that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleet.errors import ToolchainError
from fleet.host.pages import Reader, plain
from fleet.host.plan import PLAIN, NodeShape, Plan
from fleet.host.weight import MIB, Weight
from fleet.install.objects import Ledger, ensure, ensure_all, namespace, remove
from fleet.install.readiness import until_it_works
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CRDS, NAMESPACES
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables
from fleet.platforms import loopback
from fleet.platforms.kubevirt import names, objects, pages, programs, ready, secrets, strategy
from fleet.platforms.kubevirt.places import Places
from fleet.platforms.platform import Needs, Platform, Seat, Start

INFRA_NODE = "kubevirt-infra"
"""The Deployments and the DaemonSet of KubeVirt are placed there, so that kwok says that they are ready."""
TAINT = "kwok.x-k8s.io/node"
SHAPE = NodeShape(
    labels={"kubevirt.io/schedulable": "true", "machine-type.node.kubevirt.io/q35": "true"},
    capacity={
        "ephemeral-storage": "1Ti",  # a VMI of a container disk requests 50 MB of it
        **{f"devices.kubevirt.io/{device}": "1k" for device in ("kvm", "tun", "vhost-net")},
    },
    taints=(
        {"key": TAINT, "value": "fake", "effect": "NoSchedule"},
        {"key": TAINT, "value": "fake", "effect": "NoExecute"},
        {"key": "CriticalAddonsOnly", "effect": "NoSchedule"},
    ),
    plain={INFRA_NODE: {"node-role.kubernetes.io/control-plane": ""}},
)
"""Nodes as in KubeVirt's density test: 32 CPUs, 256 GiB and 110 pods are kwok's own."""
PLAYER = "kwok"
DEPLOYED_SECONDS = 600.0
GONE_SECONDS = 300.0


class KubeVirt(Platform):
    """As in Platform."""

    components = tuple(names.ACCOUNTS)
    versioned_by = names.OPERATOR
    pages: Mapping[str, Reader] = {
        **{component: pages.of_component(component) for component in names.ACCOUNTS},
        names.STAGES: lambda started: plain(started.flag("server-address"), started.flag("server-address")),
    }
    weight = Weight(700 * MIB, 8, 32, 80, 4, 60 * MIB)

    def problems(self, variables: Variables) -> Iterator[Problem]:
        """As in Platform: VMIs are scheduled on nodes of its shape, which kwok makes."""
        if variables.wec_nodes and variables.node_simulator != PLAYER:
            text = f"{variables.node_simulator} makes no nodes that kubevirt schedules VMIs on: leave it at {PLAYER}"
            yield Problem("node_simulator", text)

    def needs(self, variables: Variables) -> Needs:
        """As in Platform: a DaemonSet is privileged, virt-api serves subresources, kwok reads the schema of VMIs."""
        nodes = SHAPE if variables.wec_nodes else PLAIN
        return Needs(("--allow-privileged=true",), aggregates=True, openapi=True, nodes=nodes)

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        return programs.plan(Places.of(seat), self._version(seat))

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform."""
        places, made = Places.of(seat), objects.generated(seat.upstream)
        await ensure(client, NAMESPACES, namespace(names.NAMESPACE), ledger)
        await loopback.allow(client, ledger)
        await ensure_all(client, made.placed(), ledger)
        if ledger.check and not await ready.served(client):
            ledger.record(f"{seat.wec} KubeVirt", None, "deployed")
            return
        if not ledger.check:
            await until(
                lambda: ready.served(client), DEPLOYED_SECONDS, lambda: f"{seat.wec}: the kind KubeVirt is not served"
            )
        await ensure(client, names.KUBEVIRTS, objects.kubevirt(places, made), ledger)
        if ledger.check:
            return
        start([names.program(names.OPERATOR, seat.wec)])
        await self._deployed(places, client)
        await secrets.copy(places, client, ledger)
        start(names.program(component, seat.wec) for component in (names.API, names.CONTROLLER, names.STAGES))
        await ready.works(places, client)

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform: the operator takes out all that it made, VMs and VMIs included."""
        if ledger.check:
            return
        if await ready.served(client) and await remove(client, names.KUBEVIRTS, names.CR, names.NAMESPACE):
            await until(
                lambda: _gone(client),
                GONE_SECONDS,
                lambda: f"{seat.wec}: KubeVirt is still being removed: see the log of virt-operator.{seat.wec}",
            )
        for resource, manifest in reversed(list(objects.generated(seat.upstream).placed())):
            metadata = manifest["metadata"]
            await remove(client, resource, metadata["name"], metadata.get("namespace"))
        for crd in await client.list_all(CRDS, label_selector=names.MANAGED):
            await remove(client, CRDS, crd["metadata"]["name"])
        await remove(client, NAMESPACES, names.NAMESPACE)
        await loopback.forget(client)

    def _version(self, seat: Seat) -> str:
        try:
            return objects.generated(seat.upstream).version
        except ToolchainError:
            if seat.machine.check:  # nothing was built yet: all of it is new
                return "unknown"
            raise

    async def _deployed(self, places: Places, client: KubeClient) -> None:
        """Wait for the operator, and do the work of its Job."""
        if await ready.phase(client) == ready.DEPLOYED:
            return
        done: set[str] = set()

        async def look() -> bool:
            await strategy.dump(places, client, done)
            return await ready.phase(client) == ready.DEPLOYED

        program = names.program(names.OPERATOR, places.seat.wec)
        supervisor = places.seat.machine.supervisor
        await until_it_works(supervisor, program, look, "KubeVirt was not deployed", seconds=DEPLOYED_SECONDS)


async def _gone(client: KubeClient) -> bool:
    try:
        await client.get(names.KUBEVIRTS, names.CR, names.NAMESPACE)
    except NotFound:
        return True
    return False


PLATFORM = KubeVirt()
