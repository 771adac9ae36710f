"""The command lines of Karmada's programs: pure functions of paths, ports and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.components import Store, Trust, etcd_credentials
from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import AGENT_ENV, Extra, Upstream, loopback, reads
from fleet.managers.karmada import names
from fleet.model.client_limits import ClientLimits

PORTS = {names.AGGREGATED: 2, names.WEBHOOK: 4, names.CONTROLLER: 3, names.SCHEDULER: 3, names.AGENT: 3}
"""How many each has. The aggregated API server: itself, profiles; the webhook: itself, metrics, health, profiles; the
others: metrics, health, profiles."""


def health(port: int) -> str:
    """Where a program that is plain HTTP says that it is healthy, from the first of its ports."""
    return f"http://{loopback(port + 1)}/healthz"


@dataclass(frozen=True)
class HubPrograms:
    """What the programs of the hub are made of; files that are missing count as empty."""

    layout: Layout
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)

    @property
    def certificates(self) -> Path:
        """Folder of what they serve with; the webhook wants one of its own."""
        return self.layout.root / "hub" / "pki"

    def aggregated(self, port: int, store: Store, extra: Extra) -> Program:
        """The API server of Clusters, with data in the hub's own etcd."""
        kubeconfig, serving = self._kubeconfig, self.certificates / names.AGGREGATED
        trust = Trust.of(self.layout.pki, hub_signs=False)
        limits = self.limits
        argv = (
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--etcd-servers={store.url}",
            *etcd_credentials(store, trust),
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={serving}.crt",
            f"--tls-private-key-file={serving}.key",
            *_rates("kube-api", limits.karmada_aggregated_qps, limits.karmada_aggregated_burst),
            *_profiles(port + 1),
        )
        return self._made(names.AGGREGATED, argv, extra, 300, Path(f"{serving}.crt"), store.client.cert)

    def webhook(self, port: int, extra: Extra) -> Program:
        """What the hub's API server asks."""
        folder, limits = self.certificates / names.WEBHOOK, self.limits
        argv = (
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={folder}",
            *_listens(port + 1),
            *_rates("kube-api", limits.karmada_webhook_qps, limits.karmada_webhook_burst),
        )
        return self._made(names.WEBHOOK, argv, extra, 310, folder / "tls.crt")

    def controller(self, port: int, extra: Extra) -> Program:
        """Policies to bindings, bindings to Works; in push mode Works to WECs."""
        limits = self.limits
        argv = (
            "--leader-elect=false",
            *_listens(port),
            *_rates("kube-api", limits.karmada_controller_qps, limits.karmada_controller_burst),
            *_rates("cluster-api", limits.karmada_controller_wec_qps, limits.karmada_controller_wec_burst),
            *_queue(limits.karmada_controller_queue_qps, limits.karmada_controller_queue_burst),
        )
        return self._made(names.CONTROLLER, argv, extra, 320)

    def scheduler(self, port: int, extra: Extra) -> Program:
        """WECs into bindings."""
        limits = self.limits
        argv = (
            "--leader-elect=false",
            *_listens(port),
            *_rates("kube-api", limits.karmada_scheduler_qps, limits.karmada_scheduler_burst),
            *_queue(limits.karmada_scheduler_queue_qps, limits.karmada_scheduler_queue_burst),
        )
        return self._made(names.SCHEDULER, argv, extra, 320)

    @property
    def _kubeconfig(self) -> Path:
        return self.layout.kubeconfig(names.HUB)

    def _made(self, component: str, argv: tuple[str, ...], extra: Extra, priority: int, *files: Path) -> Program:
        kubeconfig = self._kubeconfig
        whole = (str(self.upstream.program(component)), f"--kubeconfig={kubeconfig}", *argv, "--v=2", *extra.args)
        env = {**reads(kubeconfig, *files), **extra.env}
        return Program(names.program(component), whole, env, self.layout.root / "hub", priority=priority)


@dataclass(frozen=True)
class AgentPrograms:
    """What the agents of one machine have in common."""

    layout: Layout
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)
    extra: Extra = field(default_factory=Extra)

    def agent(self, wec: str, server: str, hub_kubeconfig: Path, port: int) -> Program:
        """The agent of one WEC, whose API server is `server`. It reports no Secret of the WEC to the hub: for that it
        would wait for a controller that dense WECs do not run, and end itself."""
        limits, own = self.limits, self.layout.kubeconfig(wec)
        argv = (
            str(self.upstream.program(names.AGENT)),
            f"--kubeconfig={own}",
            f"--karmada-kubeconfig={hub_kubeconfig}",
            f"--cluster-name={wec}",
            f"--cluster-api-endpoint={server}",
            "--report-secrets=None",
            "--leader-elect=false",
            *_listens(port),
            *_rates("kube-api", limits.karmada_agent_hub_qps, limits.karmada_agent_hub_burst),
            *_rates("cluster-api", limits.karmada_agent_wec_qps, limits.karmada_agent_wec_burst),
            *_queue(limits.karmada_agent_queue_qps, limits.karmada_agent_queue_burst),
            "--v=2",
            *self.extra.args,
        )
        env = {**AGENT_ENV, **reads(own, hub_kubeconfig), **self.extra.env}
        return Program(names.program(names.AGENT, wec), argv, env, hub_kubeconfig.parent, priority=400)


def _listens(port: int) -> tuple[str, ...]:
    """Metrics, health and profiles, plain on loopback: upstream offers no TLS."""
    return (
        f"--metrics-bind-address={loopback(port)}",
        f"--health-probe-bind-address={loopback(port + 1)}",
        *_profiles(port + 2),
    )


def _profiles(port: int) -> tuple[str, str]:
    return "--enable-pprof=true", f"--profiling-bind-address={loopback(port)}"


def _rates(prefix: str, qps: float, burst: int) -> tuple[str, str]:
    return f"--{prefix}-qps={qps:g}", f"--{prefix}-burst={burst}"


def _queue(qps: int, burst: int) -> tuple[str, str]:
    """Of all work queues of the program, each with its own bucket."""
    return f"--rate-limiter-qps={qps}", f"--rate-limiter-bucket-size={burst}"
