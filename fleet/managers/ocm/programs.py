"""The command lines of OCM's and KubeStellar's programs: pure functions of paths, ports and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import Extra, Upstream, loopback, reads
from fleet.managers.ocm import names, serving
from fleet.model.client_limits import ClientLimits

HUB_PORTS = 1
WDS_PORTS = 6
"""Metrics, health and profiles of both of KubeStellar's programs of one WDS."""
AGENT_PORTS = 1
STATUS_PORTS = 1
REGISTRATION = "registration"
AGENT = "registration-operator"
CONTROLLER_MANAGER = "kubestellar-controller-manager"
TRANSPORT = "ocm-transport-controller"

AGENT_ENV = {"GOMAXPROCS": "1", "GOGC": "50", "GOMEMLIMIT": "64MiB"}
"""An idle agent holds about 10 MiB live; one thread and an early collector keep a hundred of them small."""


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
        return [registration(self), *served]


def registration(hub: HubPrograms) -> Program:
    """OCM's registration controller; clusters and CSRs are approved by us, one by one and by name."""
    kubeconfig = hub.layout.kubeconfig(hub.its)
    argv = (
        str(hub.upstream.program(REGISTRATION)),
        "controller",
        f"--kubeconfig={kubeconfig}",
        f"--namespace={names.HUB_NAMESPACE}",
        f"--listen={loopback(hub.port)}",
        f"--config={serving.config_file(hub.layout)}",
        "--disable-leader-election",
        *hub.registration_extra.args,
    )
    env = {
        "TMPDIR": str(temporary(hub.layout)),
        **reads(kubeconfig, *serving.files(hub.layout)),
        **hub.registration_extra.env,
    }
    return Program(names.registration_program(hub.its), argv, env, hub.layout.root / "hub", priority=300)


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


def temporary(layout: Layout) -> Path:
    """Where programs of the hub keep temporary files: OCM's write a serving certificate at each start."""
    return layout.root / "hub" / "tmp"


@dataclass(frozen=True)
class AgentFiles:
    """Folder of one WEC's OCM agent at one ITS."""

    directory: Path

    @classmethod
    def of(cls, layout: Layout, wec: str, seat: str = "") -> AgentFiles:
        """`<root>/agents/<wec>`, for a further ITS `<root>/agents-<its>/<wec>`."""
        return cls(layout.root / names.agents_group(seat) / wec)

    @property
    def bootstrap(self) -> Path:
        """The bootstrap kubeconfig; read at start, and to tell whether the hub is still the same."""
        return self.directory / "bootstrap.kubeconfig"

    @property
    def hub_directory(self) -> Path:
        """Where the agent keeps its hub credential."""
        return self.directory / "hub"

    @property
    def hub_kubeconfig(self) -> Path:
        """Written by the agent once it is registered."""
        return self.hub_directory / "kubeconfig"

    @property
    def temporary(self) -> Path:
        """Its serving certificate, new at each start."""
        return self.directory / "tmp"


@dataclass(frozen=True)
class AgentPrograms:
    """What the OCM agents of one machine have in common."""

    layout: Layout
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)
    status_sync_interval: str = "10s"
    """OCM's own default: how often the agent looks at what it applied."""
    extra: Extra = field(default_factory=Extra)

    def agent(self, wec: str, port: int, seat: str = "") -> Program:
        """OCM's registration and work agent of one WEC in one process, for one ITS."""
        files, limits = AgentFiles.of(self.layout, wec, seat), self.limits
        argv = (
            str(self.upstream.program(AGENT)),
            "agent",
            f"--spoke-cluster-name={wec}",
            f"--agent-id={names.agent_id(wec, seat)}",
            f"--kubeconfig={self.layout.kubeconfig(wec)}",
            f"--bootstrap-kubeconfig={files.bootstrap}",
            f"--hub-kubeconfig-dir={files.hub_directory}",
            f"--hub-kubeconfig={files.hub_kubeconfig}",
            f"--workload-source-config={files.hub_kubeconfig}",
            *([f"--hub-kubeconfig-secret={names.hub_secret(seat)}"] if seat else []),
            f"--namespace={names.AGENT_NAMESPACE}",
            "--disable-leader-election",
            f"--listen={loopback(port)}",
            f"--config={serving.config_file(self.layout)}",
            f"--hub-kube-api-qps={limits.work_hub_qps:g}",
            f"--hub-kube-api-burst={limits.work_hub_burst}",
            f"--kube-api-qps={limits.work_spoke_qps:g}",
            f"--kube-api-burst={limits.work_spoke_burst}",
            f"--status-sync-interval={self.status_sync_interval}",
            *self.extra.args,
        )
        started_with = reads(files.bootstrap, self.layout.kubeconfig(wec), *serving.files(self.layout))
        env = {**AGENT_ENV, "TMPDIR": str(files.temporary), **started_with, **self.extra.env}
        return Program(names.agent_program(wec, seat), argv, env, files.directory, priority=400)


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
