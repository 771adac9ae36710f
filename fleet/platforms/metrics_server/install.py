"""metrics-server in one WEC: upstream's program next to the API server, its rights, its part of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.errors import KubeError
from fleet.host.authority import Subject
from fleet.host.pages import Pages, Reader, Started
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram
from fleet.host.supervisor_config import Program
from fleet.host.weight import MIB, Weight
from fleet.install.objects import Ledger, ensure_all, remove
from fleet.install.readiness import until_it_works
from fleet.kube.client import KubeClient
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables
from fleet.platforms.metrics_server import names
from fleet.platforms.metrics_server.objects import objects
from fleet.platforms.platform import Needs, Platform, Seat, Start
from fleet.simulators.node_objects import NODE_LABEL
from fleet.simulators.simulator import simulator

AUTOSCALER = "horizontal-pod-autoscaler-controller"
RESOLUTION = "15s"
"""Upstream's own default is a minute; its manifest has this."""


def of_server(started: Started) -> Pages:
    """Metrics behind its own port, which asks the WEC who may look; no profiles."""
    behind = started.behind(f"https://127.0.0.1:{started.flag('secure-port')}", started.place)
    return Pages(behind.metrics, "", behind.tls)


class MetricsServer(Platform):
    """As in Platform."""

    components: Sequence[str] = (names.COMPONENT,)
    versioned_by = names.COMPONENT
    pages: Mapping[str, Reader] = {names.COMPONENT: of_server}
    weight = Weight(60 * MIB, 1, 4, 12, 1, 10 * MIB)

    def problems(self, variables: Variables) -> Iterator[Problem]:
        """As in Platform: it reads kubelets."""
        if not variables.wec_nodes or not _kubelets(variables):
            text = (
                f"{variables.node_simulator} makes no nodes with a kubelet, which metrics-server reads: use another one"
            )
            yield Problem("node_simulator", text)

    def needs(self, variables: Variables) -> Needs:  # noqa: ARG002 - as of every platform
        """As in Platform: it serves a part of the API, for the controller of autoscalers."""
        return Needs(aggregates=True, controllers=(AUTOSCALER,))

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        certificates, component = seat.folder / "pki", names.COMPONENT
        identity = Certificate(certificates, component, "ca", Subject(names.ACCOUNT, names.GROUPS))
        service = f"{component}.{names.NAMESPACE}.svc"
        hosts = ("127.0.0.1", "localhost", service)
        serving = Certificate(certificates, "serving", "ca", Subject(component, (), hosts, client=False))
        server = seat.server or "https://127.0.0.1:0"  # of a WEC that is not made yet, in check mode
        kubeconfig = Kubeconfig(seat.folder / f"{component}.kubeconfig", server, component, identity)
        ca = seat.layout.pki / "ca.crt"
        argv = (
            str(seat.upstream.program(component)),
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port(seat)}",
            f"--tls-cert-file={serving.cert}",
            f"--tls-private-key-file={serving.key}",
            *(f"--{of}kubeconfig={kubeconfig.path}" for of in ("", "authentication-", "authorization-")),
            f"--client-ca-file={ca}",
            f"--kubelet-certificate-authority={ca}",
            "--kubelet-use-node-status-port",
            "--kubelet-preferred-address-types=InternalIP",
            *self._selected(seat),
            f"--metric-resolution={RESOLUTION}",
        )
        program = Program(names.program(seat.wec), argv, {}, seat.folder, priority=500)
        return Plan(
            (seat.folder, certificates),
            (identity, serving),
            (kubeconfig,),
            (),
            (PlannedProgram(program, component, seat.wec, (kubeconfig.path, serving.cert, ca)),),
        )

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform: it works when it knows the usage of a node."""
        await ensure_all(client, objects(seat.layout.pki / "ca.crt", self._port(seat)), ledger)
        if ledger.check:
            return
        start([names.program(seat.wec)])

        async def works() -> bool:
            try:
                return bool(await client.list_all(names.NODE_METRICS))
            except KubeError:
                return False

        program = names.program(seat.wec)
        await until_it_works(seat.machine.supervisor, program, works, "it knows the usage of no node")

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform: the API first, which nobody serves any more."""
        if ledger.check:
            return
        for resource, manifest in reversed(objects(seat.layout.pki / "ca.crt", self._port(seat))):
            metadata = manifest["metadata"]
            await remove(client, resource, metadata["name"], metadata.get("namespace"))

    def _port(self, seat: Seat) -> int:
        return seat.port(names.COMPONENT, (names.program(seat.wec),))

    def _selected(self, seat: Seat) -> tuple[str, ...]:
        """Only nodes that have a kubelet, where there are others too."""
        chosen = _kubelets(seat.variables)
        alone = len(simulator(seat.variables.node_simulator).parts) == len(chosen)
        return () if alone or not chosen else (f"--node-selector={NODE_LABEL}={simulator(chosen[0]).value}",)


def _kubelets(variables: Variables) -> list[str]:
    """The simulators of the fleet whose nodes have one."""
    return [name for name in simulator(variables.node_simulator).parts if simulator(name).kubelets]


PLATFORM = MetricsServer()
