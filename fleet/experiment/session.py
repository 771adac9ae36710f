"""What the body of a run needs: the spec, the fleet and its clients, the recorder, the samplers, faults, progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.errors import KubeError, UsageError
from fleet.experiment.clients import Clients
from fleet.experiment.progress import RunProgress
from fleet.faults.beside import Faults
from fleet.kube.looplag import LoopLag
from fleet.kube.reflector import Reflector
from fleet.managers import registry
from fleet.managers.manager import Manager, Spaces
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import RunNames
from fleet.observe.profiling import Profiling
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.results import events
from fleet.results.folder import RunFolder

if TYPE_CHECKING:
    from fleet.experiment.definition import Needs
    from fleet.experiment.own import PlannedTrial
    from fleet.experiment.reconfigure import Reconfigure

TRIAL = "trial"
"""The step that holds all steps of one trial, where a body has no steps `load` and `drain`."""


@dataclass
class Session:
    """One run under way."""

    spec: Any
    """Of the experiment's own type; its `profiles` are those that are really taken."""
    fleet: FleetFile
    manager: Manager
    names: RunNames
    clients: Clients
    recorder: Recorder
    recorded: Recorded
    progress: RunProgress
    sampling: Sampling
    faults: Faults
    folder: RunFolder
    reconfigure: Reconfigure | None = None
    """Changes the fleet's limits, links and sources; None where nothing can."""
    lag: LoopLag = field(default_factory=LoopLag)
    """How late the loop is while stamps become latencies; `step(..., measured=True)` measures it."""
    reflectors: list[Reflector] = field(default_factory=list)
    """Every watch that the run had: run.json says what they delivered."""
    trials_begun: int = 0
    fleets: int = 1

    @property
    def spaces(self) -> Spaces:
        """The clients that are open now."""
        return self.clients.spaces

    @property
    def join(self) -> Join:
        """Of the objects that were planned."""
        return self.recorded.join

    def alive(self, clusters: Sequence[str]) -> tuple[str, ...]:
        """Those of the WECs that answer now."""
        return tuple(name for name in clusters if name not in self.recorder.down)

    # --- what a body is made of -----------------------------------------------------------------------------------
    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Inside it programs are measured and scraped at the spec's interval, profiles taken and faults possible."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(beside(self.keep_sampling()))
            await stack.enter_async_context(self.profiling())
            await stack.enter_async_context(self.faults)
            yield

    def profiling(self) -> Profiling:
        """The rounds of profiles that the spec requests, as `async with`."""
        return Profiling(self.fleet, self.spec.profiles, self.folder.path, self.recorder)

    @asynccontextmanager
    async def trial(self, trial: PlannedTrial) -> AsyncIterator[None]:
        """Around everything of one trial: its line, its progress; at its end what was recorded is made durable."""
        self.trials_begun += 1
        self.progress.trial(self.trials_begun, str(trial))
        self.recorder.record(
            events.TrialPlan(
                ns=time.monotonic_ns(),
                wall=time.time_ns(),
                trial=trial.id,
                layout="",
                wecs=len(trial.clusters),
                repeat=trial.repeat,
                clusters=list(trial.clusters),
                kind=trial.what,
                point=trial.point,
            )
        )
        async with self.step(TRIAL, trial.id):
            yield
        await self.keep()

    @asynccontextmanager
    async def step(self, name: str, trial: str = "", *, measured: bool = False) -> AsyncIterator[None]:
        """Marks the step's two edges in the log, whatever ends it; `measured`: stamps become latencies in it."""
        self.progress.step(name)
        self.recorder.mark(name, "begin", trial=trial)
        note = ""
        try:
            async with AsyncExitStack() as stack:
                if measured:
                    await stack.enter_async_context(self.lag)
                yield
        except BaseException as error:
            note = type(error).__name__
            raise
        finally:
            self.recorder.mark(name, "end", trial=trial, note=note)

    @asynccontextmanager
    async def disturbed(self, trial: PlannedTrial) -> AsyncIterator[None]:
        """Around the load of a trial: the moments of `during` count from its begin, and its end waits until all are
        healed."""
        if not self.spec.during:
            yield
            return
        await self.faults.prepare(trial.id, counted=trial.repeat >= 0)
        self.faults.begin(trial.id, counted=trial.repeat >= 0)
        yield
        async with self.step("heal", trial.id):
            await self.faults.end()
            await self.sampling.sample()  # what was started again belongs to this trial

    def measured(self, name: str, value: float, unit: str, *, trial: str = "", **of: str) -> None:
        """Write down a quantity that is no latency; `of` are its labels."""
        self.recorder.record(
            events.Measured(
                ns=time.monotonic_ns(), wall=time.time_ns(), trial=trial, name=name, value=value, unit=unit, of=of
            )
        )

    def expect(self, trial: str, resource: str, count: int, *, cluster: str = "") -> None:
        """So many objects must come that the run does not create itself: those that never do are missing samples."""
        line = events.Expected(
            ns=time.monotonic_ns(), wall=time.time_ns(), trial=trial, resource=resource, count=count, cluster=cluster
        )
        self.recorder.record(line)

    async def request(  # noqa: PLR0917 - what one request is
        self,
        trial: str,
        op: str,
        cluster: str,
        call: Callable[[], Awaitable[object]],
        resource: str = "",
        name: str = "",
        namespace: str = "",
        *,
        due_ns: int = 0,
    ) -> bool:
        """Send one request and write it down; False when it failed, which the line says by code and class of error.

        `due_ns`: when an open loop was to send it (monotonic); 0: now. Of `op` `create` the object's line begins here.
        """
        sent_ns = time.monotonic_ns()
        code, outcome = 200, ""
        try:
            await call()
        except KubeError as error:
            code, outcome = error.status or 0, type(error).__name__
        self.recorder.record(
            events.Requested(
                ns=time.monotonic_ns(),
                wall=time.time_ns(),
                trial=trial,
                op=op,
                cluster=cluster,
                due_ns=due_ns or sent_ns,
                sent_ns=sent_ns,
                code=code,
                error=outcome,
                resource=resource,
                namespace=namespace,
                name=name,
            )
        )
        return not outcome

    async def adopt(self, fleet: FleetFile, needs: Needs) -> None:
        """The run goes on with this fleet (another manager, other clusters): clients and samplers are opened again.

        The fleet file is kept as `raw/fleet-<number>.json`: run.json has the first one. UsageError with faults planned,
        which were aimed at the first.
        """
        if self.spec.during:
            raise UsageError("during: faults were aimed at the fleet as it was when the run began; leave them out here")
        self.fleets += 1
        self.folder.write(f"raw/fleet-{self.fleets}.json", fleet.model_dump_json(indent=2).encode() + b"\n")
        self.fleet, self.manager = fleet, registry.of(fleet)
        await self.sampling.change(fleet, self.manager.record(fleet))
        await self.clients.open(fleet, needs)

    # --- the frame's own ------------------------------------------------------------------------------------------
    async def keep(self) -> None:
        """Make what was recorded durable; the run ends when that cannot be done."""
        await asyncio.to_thread(self.recorder.sync)
        if self.recorder.failure is not None:
            self.recorder.failed.set()

    async def keep_sampling(self) -> None:
        """Sample at the spec's interval until cancelled; a slow sample delays the next, never doubles it."""
        due = time.monotonic()
        while True:
            await self.sampling.sample()
            due = max(due + self.spec.sample_interval, time.monotonic())
            await asyncio.sleep(due - time.monotonic())


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` goes on alongside the block and is cancelled at its end; its own error, if any, is raised there."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
    for error in results:
        if isinstance(error, Exception):
            raise error
