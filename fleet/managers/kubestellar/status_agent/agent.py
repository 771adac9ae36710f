"""The whole process: one WecAgent per configured WEC, started, restarted after failures and stopped on its own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.limiter import TokenBucket
from fleet.managers.kubestellar.status_agent.config import AgentConfig, WecEntry
from fleet.managers.kubestellar.status_agent.hub import HubWriter
from fleet.managers.kubestellar.status_agent.journal import Journal
from fleet.managers.kubestellar.status_agent.metrics import Metrics, WecGauges, render
from fleet.managers.kubestellar.status_agent.metrics_server import MetricsServer
from fleet.managers.kubestellar.status_agent.queue import Backoff
from fleet.managers.kubestellar.status_agent.wec import WecAgent

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
_RESTART = Backoff(first=1.0, longest=30.0)

Connect = Callable[[WecEntry, AgentConfig], KubeClient]
"""Makes the client of one WEC, with its local limits."""


@dataclass(slots=True)
class _Running:
    """One WEC's task and what it was started with."""

    identity: str
    task: asyncio.Task[None]
    agent: WecAgent | None = field(default=None)


class Agent:
    """All WECs of one hub. Use `async with`; `apply` brings it to another configuration.

    `hub` and `connect` are how clusters are reached; `connect_wec` reads kubeconfigs.
    """

    def __init__(self, config: AgentConfig, hub: KubeClient, connect: Connect) -> None:
        self.metrics = Metrics()
        self.address = ""
        """Where the metrics are served, once started."""
        self._config = config
        self._hub = hub
        self._connect = connect
        self._journal = Journal(config.log)
        self._server = None if config.metrics_address is None else MetricsServer(config.metrics_address, self.text)
        self._wecs: dict[str, _Running] = {}
        self._flusher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Agent:
        try:
            if self._server is not None:
                self.address = await self._server.start()
            self._flusher = asyncio.get_running_loop().create_task(self._flush())
            await self.apply(self._config)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop(list(self._wecs))
        if self._flusher is not None:
            self._flusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flusher
        if self._server is not None:
            await self._server.stop()
        self._journal.close()
        await self._hub.close()

    async def apply(self, config: AgentConfig) -> None:
        """Start new WECs, stop those that are not listed any more, restart those whose entry or limits changed.

        The others go on undisturbed. The journal's file is opened again.
        """
        self._journal.open()
        fixed = ("hub_kubeconfig", "metrics_address", "log", "allowed")
        if any(getattr(config, name) != getattr(self._config, name) for name in fixed):
            log.warning("%s changed: restart the agent for that", ", ".join(fixed))
        self._config = config
        entries = {entry.name: entry for entry in config.wecs}
        identities = {name: _identity(entry, config) for name, entry in entries.items()}
        await self._stop([name for name, run in self._wecs.items() if identities.get(name) != run.identity])
        for name, entry in entries.items():
            if name not in self._wecs:
                task = asyncio.get_running_loop().create_task(self._keep(entry, config))
                self._wecs[name] = _Running(identities[name], task)
        log.info("serving %d WECs", len(self._wecs))

    @property
    def wecs(self) -> tuple[str, ...]:
        """Names of the WECs it serves."""
        return tuple(self._wecs)

    def gauges(self) -> dict[str, WecGauges]:
        """Present state of every WEC whose agent runs."""
        return {name: run.agent.gauges() for name, run in self._wecs.items() if run.agent is not None}

    def text(self) -> str:
        """The metrics in Prometheus' text format."""
        return render(self.metrics, self.gauges())

    async def _stop(self, names: list[str]) -> None:
        tasks = [self._wecs.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, entry: WecEntry, config: AgentConfig) -> None:
        """Run one WEC's agent; after a failure build it again, with backoff. Other WECs do not notice.

        One that had come to serve its WEC begins with the first pause again.
        """
        failures = 0
        while True:
            agent: WecAgent | None = None
            try:
                agent = self._build(entry, config)
                self._wecs[entry.name].agent = agent
                await agent.run()
            except FleetError as error:
                log.warning("%s: %s", entry.name, error)
            except Exception:
                # A bug met in one WEC's data must not end the reports of all others.
                log.exception("%s: the agent of this WEC failed", entry.name)
            failures = 1 if agent is not None and agent.ready else failures + 1
            self.metrics.of(entry.name).restarts += 1
            await asyncio.sleep(_RESTART.pause(failures))

    def _build(self, entry: WecEntry, config: AgentConfig) -> WecAgent:
        hub = HubWriter(
            self._hub,
            TokenBucket(config.hub_qps, config.hub_burst),
            wec=entry.name,
            parity=config.parity,
            journal=self._journal,
            counters=self.metrics.of(entry.name),
            latency=self.metrics.latency,
        )
        return WecAgent(entry.name, self._connect(entry, config), hub, parity=config.parity, agent=entry.agent)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._journal.flush()


def connect_hub(config: AgentConfig) -> KubeClient:
    """The one client of the hub, without a limit of its own: each WEC brings its bucket."""
    return KubeClient.from_kubeconfig(config.hub_kubeconfig, cluster="hub", allowed=config.allowed)


def connect_wec(entry: WecEntry, config: AgentConfig) -> KubeClient:
    """The client of one WEC, from its kubeconfig. SpecError when that must not be used."""
    return KubeClient.from_kubeconfig(
        entry.kubeconfig,
        cluster=entry.name,
        allowed=config.allowed,
        qps=config.local_qps,
        burst=config.local_burst,
    )


def _identity(entry: WecEntry, config: AgentConfig) -> str:
    """Differs when anything differs that this WEC's agent was built from, the content of its kubeconfig included."""
    try:
        content = hashlib.sha256(Path(entry.kubeconfig).read_bytes()).hexdigest()
    except OSError:
        content = "unreadable"
    return f"{entry.kubeconfig} {content} {entry.agent} {config.limits!r} {config.parity}"
