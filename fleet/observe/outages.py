"""Watches the watches: a cluster whose watch erred and that does not answer is down until it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from fleet.kube.client import KubeClient
from fleet.kube.reflector import Reflector
from fleet.observe.recorder import Recorder
from fleet.results.events import ClusterState

LOOK_SECONDS = 0.5
"""How often the watches' error counters are looked at; reading them costs no request."""
PROBE_SECONDS = 2.0
"""How long a cluster whose watch broke may take to answer `/readyz` before it counts as down."""


class Outages:
    """Of the clusters of these watches, whose clients are given by their names."""

    def __init__(self, reflectors: Sequence[Reflector], clients: Mapping[str, KubeClient], recorder: Recorder) -> None:
        self._reflectors = reflectors
        self._clients = clients
        self._recorder = recorder

    async def look(self) -> None:
        """Until cancelled."""
        errors = {id(reflector): 0 for reflector in self._reflectors}
        probes: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for reflector in self._reflectors:
                    seen, errors[id(reflector)] = errors[id(reflector)], reflector.stats.errors
                    if reflector.stats.errors > seen and reflector.cluster not in probes:
                        why = reflector.stats.last_error
                        probes[reflector.cluster] = asyncio.create_task(self._probe(reflector.cluster, why))
                for cluster in [name for name, task in probes.items() if task.done()]:
                    await probes.pop(cluster)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in probes.values():
                task.cancel()
            await asyncio.gather(*probes.values(), return_exceptions=True)

    async def _probe(self, cluster: str, why: str) -> None:
        """Ask once; when there is no answer, the cluster is down until it answers again."""
        client = self._clients[cluster]
        if await client.ready(PROBE_SECONDS):
            return
        self._state(cluster, "down", why)
        while not await client.ready(PROBE_SECONDS):  # noqa: ASYNC110 - no event says that a server is back
            await asyncio.sleep(LOOK_SECONDS)
        self._state(cluster, "up", "")

    def _state(self, cluster: str, state: str, reason: str) -> None:
        stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
        self._recorder.record(ClusterState(**stamps, cluster=cluster, state=state, reason=reason))
