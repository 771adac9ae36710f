"""One number of nodes: a window at rest, then pods on all nodes, then a window with them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil

from fleet.analysis.stats import quantile
from fleet.errors import KubeError
from fleet.experiment import open_loop
from fleet.experiment.open_loop import Due
from fleet.experiment.own import PlannedTrial
from fleet.experiment.session import Session
from fleet.experiment.sweep import sweep
from fleet.experiment.watches import Watches
from fleet.experiments.idle.experiment import Look, look
from fleet.experiments.node_scaling import calls
from fleet.experiments.node_scaling.heartbeats import Heartbeats
from fleet.experiments.node_scaling.limits import (
    IDLE,
    LEASE_P99,
    LEASES,
    NOT_READY,
    POD_LOST,
    POD_START_P99,
    PODS,
    UNITS,
    Window,
    passed,
)
from fleet.experiments.node_scaling.spec import NodeScaling
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.model.experiment_file import Workload
from fleet.model.pod_marks import RUNNING
from fleet.workload.content import Place
from fleet.workload.profiles import content_of

POD = Workload(kind="pod")
CPU, PSS, FREE = "cpu", "pss", "memory left"
"""Quantities of a window alongside those that may end the growth: by part, and of the machine."""


@dataclass(frozen=True)
class NodeTrial(PlannedTrial):
    """So many nodes of one simulator."""

    simulator: str = ""
    nodes: int = 0


@dataclass
class Trial:
    """One under way; `run` may be called once."""

    session: Session
    trial: NodeTrial
    client: KubeClient
    watches: Watches
    hearts: Heartbeats
    passed: dict[Window, list[str]] = field(default_factory=dict)
    """Which limits were passed, by window."""

    @property
    def spec(self) -> NodeScaling:
        """Of the run."""
        spec: NodeScaling = self.session.spec
        return spec

    async def run(self, *, pods: bool) -> None:
        """At rest, and with pods when `pods`; what it made is gone afterwards."""
        async with self.session.trial(self.trial):
            async with self._window(IDLE):
                await asyncio.sleep(self.spec.window)
            if pods and not self.passed[IDLE]:
                try:
                    async with self._window(PODS) as found:
                        await self._load()
                        found.update(self._starts())
                        await asyncio.sleep(self.spec.window)
                finally:
                    await self._clean()

    @asynccontextmanager
    async def _window(self, name: Window) -> AsyncIterator[dict[str, float]]:
        """Measures all that goes on in the block, and what the block itself puts into the quantities it gets."""
        session, found = self.session, dict[str, float]()
        if name == IDLE:
            async with session.step("settle", self.trial.id):
                await asyncio.sleep(self.spec.settle)
        before, weights = await calls.counts(self.client), await asyncio.to_thread(look, session.fleet)
        begin = time.monotonic()
        self.hearts.begin()
        async with session.step(name, self.trial.id):
            yield found
        gaps = self.hearts.gaps()
        found |= {LEASES: float(len(gaps)), NOT_READY: float(self.hearts.turned)}
        found |= {LEASE_P99: quantile(gaps, 0.99)} if gaps else {}
        seconds = time.monotonic() - begin
        self._weighed(name, weights, await asyncio.to_thread(look, session.fleet), seconds)
        after = await calls.counts(self.client)
        found |= calls.percentiles(before, after)
        calls.write(session.folder.raw(f"{self.trial.id}-{name}-requests.json"), before, after)
        for quantity, value in found.items():
            session.measured(quantity, value, UNITS[quantity], trial=self.trial.id, window=name)
        self.passed[name] = passed(found, self.spec.limits)

    def _weighed(self, window: str, before: Look, after: Look, seconds: float) -> None:
        cpu: defaultdict[str, float] = defaultdict(float)
        pss: defaultdict[str, float] = defaultdict(float)
        for key, now in after.items():
            part = _part(key[1])
            was = before.get(key)
            begun = was.cpu_seconds if was is not None and was.pid == now.pid else 0.0
            cpu[part] += (now.cpu_seconds - begun) / seconds
            pss[part] += now.pss
        for part in cpu:
            labels = {"window": window, "part": part}
            self.session.measured(CPU, cpu[part], "cores", trial=self.trial.id, **labels)
            self.session.measured(PSS, pss[part], "B", trial=self.trial.id, **labels)
        self.session.measured(FREE, float(psutil.virtual_memory().available), "B", trial=self.trial.id, window=window)

    async def _load(self) -> None:
        """The pods at the file's rate, an open loop, and until all run or their time is over."""
        count, spec, trial = self.trial.nodes * self.spec.pods_per_node, self.spec, self.trial.id
        actions = [Due(number / spec.pods_per_second, partial(self._create, number)) for number in range(count)]
        async with self.session.step("load", trial, measured=True):
            await open_loop.run(actions, time.monotonic_ns())
        async with self.session.step("drain", trial, measured=True):
            if not await self.watches.reached(resources.PODS, RUNNING, count, timeout=spec.timeouts.object):
                there = self.watches.count(resources.PODS, RUNNING)
                said = f"{there} of {count} pods ran within {spec.timeouts.object:g} s of the last creation"
                self.session.recorder.anomaly("unfinished", said, trial=trial)

    def _create(self, number: int, due_ns: int) -> Awaitable[object]:
        names, trial = self.session.names, self.trial.id
        name = f"{trial}-{number:06d}"
        (body,) = content_of(POD).bodies(Place(name=name, namespace=names.namespace, op=name, copy=number))
        meta = {"name": name, "labels": names.labels(trial=trial)}
        whole: Mapping[str, Any] = {"apiVersion": "v1", "kind": "Pod", **body.manifest, "metadata": meta}
        call: Callable[[], Awaitable[object]] = lambda: self.client.create(resources.PODS, whole, names.namespace)  # noqa: E731
        return self.session.request(
            trial, "create", self.client.cluster, call, str(resources.PODS), name, names.namespace, due_ns=due_ns
        )

    def _starts(self) -> dict[str, float]:
        """How long pods took, and how many never ran."""
        took = sorted(self.watches.between(resources.PODS, "created", RUNNING))
        lost = self.watches.count(resources.PODS, "created") - len(took)
        return {POD_LOST: float(lost), **({POD_START_P99: quantile(took, 0.99)} if took else {})}

    async def _clean(self) -> None:
        async with self.session.step("clean", self.trial.id):
            created, seconds = self.watches.count(resources.PODS, "created"), self.spec.timeouts.clean
            try:
                await sweep(self.session, self.trial.id, self.client, [resources.PODS])
            except KubeError as error:
                self.session.recorder.anomaly("left-behind", str(error), trial=self.trial.id)
            if not await self.watches.reached(resources.PODS, "deleted", created, timeout=seconds):
                left = f"{created - self.watches.count(resources.PODS, 'deleted')} of {created} pods are still there"
                self.session.recorder.anomaly("left-behind", left, trial=self.trial.id)


def _part(program: str) -> str:
    """What programs are summed by: the name without its number and its cluster (`dense` of `dense.0`)."""
    name = program.partition(".")[0]
    stem, _, number = name.rpartition("-")
    return stem if stem and number.isdigit() else name
