"""The command lines of KubeStellar's programs and of our status agent: pure functions of paths, ports and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import Extra, Upstream, loopback, reads
from fleet.managers.kubestellar import names
from fleet.managers.ocm import programs as ocm
from fleet.model.client_limits import ClientLimits

WDS_PORTS = 6
"""Metrics, health and profiles of both of KubeStellar's programs of one WDS."""
STATUS_PORTS = 1
CONTROLLER_MANAGER = "kubestellar-controller-manager"
TRANSPORT = "ocm-transport-controller"


@dataclass(frozen=True)
class HubPrograms:
    """Everything that the programs of group `hub` are made of; files that are missing count as empty."""

    layout: Layout
    its: str
    port: int
    """Of the registration controller, on loopback."""
    wdses: Mapping[str, int]
    """The WDSes that KubeStellar serves, each with the first of WDS_PORTS consecutive ports."""
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)
    registration_extra: Extra = field(default_factory=Extra)
    controller_extra: Extra = field(default_factory=Extra)
    transport_extra: Extra = field(default_factory=Extra)

    def all(self) -> list[Program]:
        """In the order of their start."""
        served = [made for wds in self.wdses for made in (controller_manager(self, wds), transport(self, wds))]
        registration = ocm.HubPrograms(self.layout, self.its, self.upstream, self.limits)
        return [registration.registration(self.port, self.registration_extra), *served]


def controller_manager(hub: HubPrograms, wds: str) -> Program:
    """KubeStellar's controller-manager of one WDS; it finds both spaces through the ControlPlanes of the cluster in
    KUBECONFIG."""
    limits, port = hub.limits, hub.wdses[wds]
    argv = (
        str(hub.upstream.program(CONTROLLER_MANAGER)),
        f"--wds-name={wds}",
        f"--its-name={hub.its}",
        *_limits("wds", limits.controller_wds_qps, limits.controller_wds_burst),
        *_limits("its", limits.controller_its_qps, limits.controller_its_burst),
        f"--metrics-bind-address={loopback(controller_metrics(port))}",
        f"--health-probe-bind-address={loopback(port + 1)}",
        f"--pprof-bind-address={loopback(port + 2)}",
        "-v=2",
        *hub.controller_extra.args,
    )
    its, own = hub.layout.kubeconfig(hub.its), hub.layout.kubeconfig(wds)
    env = {"KUBECONFIG": str(its), **reads(its, own), **hub.controller_extra.env}
    return Program(names.controller_program(wds), argv, env, hub.layout.root / "hub", priority=310)


def transport(hub: HubPrograms, wds: str) -> Program:
    """KubeStellar's transport controller of one WDS, with OCM's transport."""
    limits, port = hub.limits, hub.wdses[wds]
    its, own = hub.layout.kubeconfig(hub.its), hub.layout.kubeconfig(wds)
    argv = (
        str(hub.upstream.program(TRANSPORT)),
        f"--wds-kubeconfig={own}",
        *_limits("wds", limits.transport_wds_qps, limits.transport_wds_burst),
        f"--transport-kubeconfig={its}",
        *_limits("transport", limits.transport_its_qps, limits.transport_its_burst),
        f"--wds-name={wds}",
        f"--concurrency={limits.transport_concurrency}",
        f"--max-num-wrapped={limits.max_num_wrapped}",
        f"--max-size-wrapped={limits.max_size_wrapped}",
        f"--metrics-bind-address={loopback(transport_metrics(port))}",
        f"--pprof-bind-address={loopback(port + 4)}",
        f"--health-probe-bind-address={loopback(port + 5)}",
        "-v=2",
        *hub.transport_extra.args,
    )
    env = {**reads(its, own), **hub.transport_extra.env}
    return Program(names.transport_program(wds), argv, env, hub.layout.root / "hub", priority=320)


def controller_metrics(port: int) -> int:
    """Of a WDS's ports the one that its controller-manager shows its metrics on."""
    return port


def transport_metrics(port: int) -> int:
    """Of a WDS's ports the one that its transport controller shows its metrics on."""
    return port + 3


def status_agent(
    python: Path, layout: Layout, config: Path, hub_kubeconfig: Path, extra: Extra, *, seat: str = ""
) -> Program:
    """Our own status agent, one process for all WECs of the machine and one ITS; it reads its configuration again on
    SIGHUP."""
    argv = (str(python), "-m", "fleet.managers.kubestellar.status_agent", f"--config={config}", *extra.args)
    env = {**reads(hub_kubeconfig), **extra.env}
    return Program(names.status_program(seat), argv, env, layout.root / "hub", priority=410)


def _limits(prefix: str, qps: float, burst: int) -> tuple[str, str]:
    return f"--{prefix}-qps={qps:g}", f"--{prefix}-burst={burst}"
