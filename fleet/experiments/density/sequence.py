"""One sequence of kplane's bench: clean launch, baseline, bootstrap, settle, steady, load; a sample after each."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fleet.experiment.load_client import LoadClient
from fleet.experiment.own import PlannedTrial
from fleet.experiment.session import Session
from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.orders import bootstrap_order, bootstrap_seconds, load_order, load_seconds
from fleet.experiments.density.pages import profile
from fleet.experiments.density.probes.run import ask
from fleet.experiments.density.targets.target import Access, Running, Target
from fleet.experiments.density.weights import UNITS, weigh
from fleet.experiments.density.window import TOTAL, Window, window
from fleet.results.events import ProfileTaken

T = TypeVar("T")
CLIENT = "client"
"""Component of the driver and of the load client: rows of their own, no part of a control plane's cost."""


@dataclass(frozen=True)
class DensityTrial(PlannedTrial):
    """So many control planes, from a clean launch to the last sample."""

    count: int = 0
    probed: bool = False
    """Two of its control planes are asked what they can do."""
    shown: bool = False
    """Its profiles are those of the report."""


@dataclass
class Bench:
    """One sequence under way; `run` may be called once."""

    session: Session
    trial: DensityTrial
    target: Target
    client: LoadClient
    pool: Executor
    clients: list[Running] = field(default_factory=list)

    @property
    def spec(self) -> DensityFile:
        """Of the run."""
        spec: DensityFile = self.session.spec
        return spec

    async def run(self) -> None:
        """Everything is gone afterwards, whatever ended it."""
        phases, count = self.spec.phases, self.trial.count
        self.clients.append(Running("driver", CLIENT, os.getpid()))
        async with self.session.trial(self.trial):
            try:
                await self._do(partial(self.target.launch, count))
                self._measured("planes", count, "", differs=self.target.differs)
                async with self._phase("baseline"):
                    await asyncio.sleep(phases.warmup)
                await self._sample("baseline")
                access: Sequence[Access] = ()
                if count:
                    async with self._phase("bootstrap", growing=True):
                        access = await self._bootstrap(count)
                async with self._phase("post-bootstrap"):
                    await asyncio.sleep(phases.post_bootstrap_settle)
                await self._sample("post-bootstrap")
                async with self._phase("steady"):
                    await asyncio.sleep(phases.steady_wait)
                await self._sample("steady")
                if hot := self.spec.hot(count):
                    await self._load(access[:hot])
                    await self._sample("post-load")
                if self.trial.probed:
                    async with self.session.step("probes", self.trial.id):
                        await self._probe(access)
            finally:
                await self._do(self.target.down)

    async def _bootstrap(self, count: int) -> Sequence[Access]:
        """Start them, then take them into use by `workers`."""
        begin = time.monotonic()
        access = await self._do(partial(self.target.create, count))
        self._measured("start_seconds", time.monotonic() - begin, "s", phase="bootstrap")
        order = bootstrap_order(self.spec, access)
        await self._run_client("bootstrap", order, seconds=bootstrap_seconds(self.spec, count), heard=lambda _: None)
        self._measured("bootstrap_seconds", time.monotonic() - begin, "s", phase="bootstrap")
        return access

    async def _load(self, hot: Sequence[Access]) -> None:
        order = load_order(self.spec, hot, self._raw("load.csv.gz"))
        begun = asyncio.Event()

        def heard(line: Mapping[str, Any]) -> None:
            if line["event"] == "begin":
                begun.set()

        work = asyncio.create_task(self._run_client("load", order, seconds=load_seconds(self.spec), heard=heard))
        waiting = asyncio.create_task(begun.wait())
        try:
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            async with self._phase("load") as found:
                await work
            self._measured("busy", found.busy, "", phase="load")
        finally:
            for task in (work, waiting):
                task.cancel()
            await asyncio.gather(work, waiting, return_exceptions=True)

    async def _run_client(
        self, command: str, order: Mapping[str, Any], *, seconds: float, heard: Callable[[Mapping[str, Any]], None]
    ) -> None:
        def started(pid: int) -> None:
            self.clients.append(Running("driver/fleet-loadgen", CLIENT, pid))

        log = self._raw(f"{command}.jsonl")
        try:
            await self.client.run(command, order, log=log, seconds=seconds, heard=heard, started=started)
        finally:
            del self.clients[1:]

    async def _probe(self, access: Sequence[Access]) -> None:
        for answer in await ask(access[0].endpoint(), access[1].endpoint(), self.session.names.run_id):
            self._measured("probe", float(answer.able), "", probe=answer.probe, why=answer.why)

    @asynccontextmanager
    async def _phase(self, name: str, *, growing: bool = False) -> AsyncIterator[Window]:
        """CPU and peak memory of every program over one phase."""
        async with self.session.step(name, self.trial.id), window(self._look, growing=growing) as found:
            yield found
        for use in found.uses:
            of = {"phase": name, "program": use.running.program, "component": use.running.component}
            values = {"cpu_seconds": use.cpu_seconds, "cpu_mean": use.cpu_mean, "cpu_peak": use.cpu_peak}
            values |= {} if use.peak_rss is None else {"peak_rss": use.peak_rss}
            for quantity, value in values.items():
                self._measured(quantity, value, UNITS[quantity], **of)
        self._measured("seconds", found.seconds, "s", phase=name, program=TOTAL, component=TOTAL)
        self._measured("cpu_peak", found.total_peak, "cores", phase=name, program=TOTAL, component=TOTAL)

    async def _sample(self, phase: str) -> None:
        """Between two phases: weights, then profiles."""
        async with self.session.step(f"sample {phase}", self.trial.id):
            programs = await self._do(self.target.running)
            for one in await self._do(partial(weigh, programs)):
                of = {"phase": phase, "program": one.running.program, "component": one.running.component}
                for quantity, value in one.values.items():
                    self._measured(quantity, value, UNITS[quantity], **of)
                if one.failed:
                    self.session.recorder.anomaly("unread", f"{phase}: {one.running.program}: {one.failed}")
            if phase != "baseline":
                await self._snapshots(phase, programs)

    async def _snapshots(self, phase: str, programs: Sequence[Running]) -> None:
        """Of the programs that serve, and of their stores: one of each component."""
        first: dict[str, Running] = {}
        for one in programs:
            if one.pages.pprof:
                first.setdefault(one.component, one)
        for kind in self.spec.snapshots:
            for one in first.values():
                await self._snapshot(phase, kind, one)

    async def _snapshot(self, phase: str, kind: str, one: Running) -> None:
        """Named as kplane names them; of a program that is not the one that serves, with its component behind."""
        ns, wall = time.monotonic_ns(), time.time_ns()
        data, error = await self._do(partial(profile, one.pages, kind, self.spec.snapshot_seconds))
        name = f"{kind}-{self.spec.scenario}-{self.trial.count}-{phase}"
        name += "" if one.component == self.target.main else f"-{one.component}"
        name += f"-r{self.trial.repeat + 1}" if self.trial.repeat else ""
        file = f"pprof/{name}.{'txt' if kind == 'goroutine' else 'pb.gz'}"
        if data:
            self.session.folder.write(file, data)
        if self.trial.shown and kind != "goroutine":
            self.session.recorder.record(
                ProfileTaken(
                    ns=ns, wall=wall, machine="", program=one.program, component=one.component, cluster="", kind=kind,
                    file=file if data else "", size=len(data), seconds=(time.monotonic_ns() - ns) / 1e9, error=error,
                )
            )  # fmt: skip

    async def _look(self) -> Sequence[Running]:
        return [*await self._do(self.target.running), *self.clients]

    def _measured(self, name: str, value: float, unit: str, **of: str) -> None:
        self.session.measured(name, value, unit, trial=self.trial.id, **of)

    def _raw(self, name: str) -> Path:
        return self.session.folder.raw(f"{self.trial.id}-{name}")

    async def _do(self, work: Callable[[], T]) -> T:
        """In a thread. Cancelled, it waits for the end of what is under way: else a launch would go on alongside the
        teardown that follows."""
        future = asyncio.get_running_loop().run_in_executor(self.pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            raise
