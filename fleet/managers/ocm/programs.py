"""The command lines of OCM's programs: pure functions of paths, ports and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.hosted import STOP_SECONDS, Hosting
from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import AGENT_ENV, Extra, Upstream, loopback, reads
from fleet.managers.ocm import names, serving
from fleet.model.client_limits import ClientLimits

HUB_PORTS = 1
"""Of the registration controller; placement and work manager have one each in a block of their own."""
PLACING_PORTS = 2
AGENT_PORTS = 1
REGISTRATION = "registration"
PLACEMENT = "placement"
WORK_MANAGER = "work-manager"
AGENT = "registration-operator"

HOST = "ocm-host"
HOST_ENV = {"GOGC": AGENT_ENV["GOGC"]}
HOST_PRIORITY = 390
PROCESS_FLAGS = ("--feature-gates", "--listen", "--config", "--log", "-v", "--v", "--vmodule")
"""Beginnings of flags that hold for a whole process: an agent that is given one has a process of its own."""


def fits_host(extra: Extra) -> bool:
    """Whether an agent with these settings can share a process with others."""
    return not extra.env and not any(arg.startswith(PROCESS_FLAGS) for arg in extra.args)


@dataclass(frozen=True)
class HubPrograms:
    """What the programs of one OCM hub are made of; files that are missing count as empty."""

    layout: Layout
    hub: str
    upstream: Upstream
    limits: ClientLimits = field(default_factory=ClientLimits)

    def registration(self, port: int, extra: Extra) -> Program:
        """The registration controller; clusters and CSRs are approved by us, one by one and by name."""
        rates = self.limits.ocm_registration_qps, self.limits.ocm_registration_burst
        program = self.upstream.program(REGISTRATION), "controller"
        return self._made(names.registration_program(self.hub), program, port, rates, extra, 300)

    def placement(self, port: int, extra: Extra) -> Program:
        """The placement controller: which clusters a Placement selects."""
        rates = self.limits.ocm_placement_qps, self.limits.ocm_placement_burst
        program = self.upstream.program(PLACEMENT), "controller"
        return self._made(names.placement_program(self.hub), program, port, rates, extra, 310)

    def work_manager(self, port: int, extra: Extra) -> Program:
        """The work manager: a ManifestWork for each cluster that a ManifestWorkReplicaSet is placed on."""
        rates = self.limits.ocm_work_manager_qps, self.limits.ocm_work_manager_burst
        program = self.upstream.program(WORK_MANAGER), "manager"
        gates = ("--feature-gates=ManifestWorkReplicaSet=true",)
        return self._made(names.work_manager_program(self.hub), program, port, rates, extra, 320, gates)

    def _made(  # noqa: PLR0917 - each is a part of its command line
        self,
        name: str,
        program: tuple[Path, str],
        port: int,
        rates: tuple[float, int],
        extra: Extra,
        priority: int,
        more: tuple[str, ...] = (),
    ) -> Program:
        kubeconfig = self.layout.kubeconfig(self.hub)
        argv = (
            str(program[0]),
            program[1],
            f"--kubeconfig={kubeconfig}",
            f"--namespace={names.HUB_NAMESPACE}",
            f"--listen={loopback(port)}",
            f"--config={serving.config_file(self.layout)}",
            "--disable-leader-election",
            f"--kube-api-qps={rates[0]:g}",
            f"--kube-api-burst={rates[1]}",
            *more,
            *extra.args,
        )
        started_with = reads(kubeconfig, *serving.files(self.layout))
        env = {"TMPDIR": str(temporary(self.layout)), **started_with, **extra.env}
        return Program(name, argv, env, self.layout.root / "hub", priority=priority)


def temporary(layout: Layout) -> Path:
    """Where programs of the hub keep temporary files: OCM's write a serving certificate at each start."""
    return layout.root / "hub" / "tmp"


@dataclass(frozen=True)
class AgentFiles:
    """Folder of one WEC's OCM agent at one hub."""

    directory: Path

    @classmethod
    def of(cls, layout: Layout, wec: str, seat: str = "") -> AgentFiles:
        """`<root>/agents/<wec>`, for a further hub `<root>/agents-<hub>/<wec>`."""
        return cls(layout.root / names.agents_group(seat) / wec)

    @property
    def bootstrap(self) -> Path:
        """The bootstrap kubeconfig; read at start, and to say whether the hub is still the same."""
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
    hosted: bool = False
    """Many agents in one process."""
    size: int = 25
    """So many WECs' at most."""

    @property
    def within(self) -> bool:
        """Whether agents are members of a host: not with settings that hold for a whole process."""
        return self.hosted and fits_host(self.extra)

    def hosting(self, seat: str = "") -> Hosting:
        """The hosts of the agents at one hub."""
        component = f"{names.HOST_COMPONENT}{names.at(seat)}"
        return Hosting(self.layout, self.upstream, component, HOST, self.size, HOST_ENV)

    def hosts(self, wecs: Sequence[str], seat: str = "") -> list[Program]:
        """The hosts that carry those WECs' agents; none when each has a process of its own."""
        return self.hosting(seat).hosts(wecs, HOST_PRIORITY) if self.within else []

    def agent(self, wec: str, port: int, seat: str = "") -> Program:
        """OCM's registration and work agent of one WEC, for one hub: a member of a host, or a process with `port`."""
        files = AgentFiles.of(self.layout, wec, seat)
        name = names.agent_program(wec, seat)
        depends = (files.bootstrap, self.layout.kubeconfig(wec))
        if self.within:
            argv = self.hosting(seat).member(wec, wec, self._arguments(files, wec, seat))
            return Program(name, argv, reads(*depends), files.directory, priority=400, stop_seconds=STOP_SECONDS)
        serves = (f"--listen={loopback(port)}", f"--config={serving.config_file(self.layout)}")
        argv = (str(self.upstream.program(AGENT)), "agent", *self._arguments(files, wec, seat, serves))
        started_with = reads(*depends, *serving.files(self.layout))
        env = {**AGENT_ENV, "TMPDIR": str(files.temporary), **started_with, **self.extra.env}
        return Program(name, argv, env, files.directory, priority=400)

    def _arguments(self, files: AgentFiles, wec: str, seat: str, serves: Sequence[str] = ()) -> tuple[str, ...]:
        limits = self.limits
        return (
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
            *serves,
            f"--hub-kube-api-qps={limits.work_hub_qps:g}",
            f"--hub-kube-api-burst={limits.work_hub_burst}",
            f"--kube-api-qps={limits.work_spoke_qps:g}",
            f"--kube-api-burst={limits.work_spoke_burst}",
            f"--status-sync-interval={self.status_sync_interval}",
            *self.extra.args,
        )
