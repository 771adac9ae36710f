"""The command lines of KubeFleet's programs: pure functions of paths, ports and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import AGENT_ENV, Extra, Upstream, loopback, reads
from fleet.managers.kubefleet import names
from fleet.model.client_limits import ClientLimits

HUB_PORTS = 2
"""Metrics and health; its hub agent serves no profiles."""
AGENT_PORTS = 3
"""Metrics, health and profiles."""


def health(port: int) -> str:
    """Where a program says that it is healthy, from the first of its ports."""
    return f"http://{loopback(port + 1)}/healthz"


def hub_agent(layout: Layout, upstream: Upstream, port: int, limits: ClientLimits, extra: Extra) -> Program:
    """Upstream's hub agent: placements to snapshots, bindings and Works. Its webhooks need a Service, and nothing here
    depends on them."""
    kubeconfig = layout.kubeconfig(names.HUB)
    argv = (
        str(upstream.program(names.HUB_AGENT)),
        "--enable-webhook=false",
        "--leader-elect=false",
        f"--metrics-bind-address={loopback(port)}",
        f"--health-probe-bind-address={loopback(port + 1)}",
        f"--hub-api-qps={limits.kubefleet_hub_qps:g}",
        f"--hub-api-burst={limits.kubefleet_hub_burst}",
        f"--rate-limiter-qps={limits.kubefleet_queue_qps}",
        f"--rate-limiter-bucket-size={limits.kubefleet_queue_burst}",
        "--v=2",
        *extra.args,
    )
    env = {"KUBECONFIG": str(kubeconfig), **reads(kubeconfig), **extra.env}
    return Program(names.program(names.HUB_AGENT), argv, env, layout.root / "hub", priority=310)


@dataclass(frozen=True)
class AgentPrograms:
    """What the member agents of one machine have in common."""

    layout: Layout
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)
    extra: Extra = field(default_factory=Extra)

    def agent(self, wec: str, hub_kubeconfig: Path, port: int) -> Program:
        """The agent of one WEC: upstream's controllers in a command of ours (toolchain/kubefleet)."""
        limits, own = self.limits, self.layout.kubeconfig(wec)
        argv = (
            str(self.upstream.program(names.MEMBER_AGENT)),
            f"--cluster-name={wec}",
            f"--hub-kubeconfig={hub_kubeconfig}",
            f"--member-kubeconfig={own}",
            f"--metrics-bind-address={loopback(port)}",
            f"--health-probe-bind-address={loopback(port + 1)}",
            f"--profiling-bind-address={loopback(port + 2)}",
            f"--hub-api-qps={limits.kubefleet_member_hub_qps:g}",
            f"--hub-api-burst={limits.kubefleet_member_hub_burst}",
            f"--member-api-qps={limits.kubefleet_member_wec_qps:g}",
            f"--member-api-burst={limits.kubefleet_member_wec_burst}",
            "--v=2",
            *self.extra.args,
        )
        env = {**AGENT_ENV, **reads(own, hub_kubeconfig), **self.extra.env}
        return Program(names.program(names.MEMBER_AGENT, wec), argv, env, hub_kubeconfig.parent, priority=400)
