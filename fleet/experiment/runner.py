"""Runs an experiment: the steps of every trial in order, then, however it ended, the clean-up and the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.analysis.exposition import Exposition
from fleet.analysis.hop_table import HopTable
from fleet.analysis.join import Join
from fleet.analysis.quality import Status, judge
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Setting
from fleet.errors import FleetError, MeasurementError, SpecError, UsageError
from fleet.experiment import steps
from fleet.experiment.access import check_access
from fleet.experiment.cleanup import remove
from fleet.experiment.connect import check_whole, opened
from fleet.experiment.definition import Experiment, trials
from fleet.experiment.during import BeginFaults, EndFaults, PrepareFaults
from fleet.experiment.feasible import check_changes, check_loads
from fleet.experiment.hold import held
from fleet.experiment.interrupts import Interrupts
from fleet.experiment.plan import TrialPlan, groups, trial_policies
from fleet.experiment.prepare import check, make_namespaces
from fleet.experiment.progress import RunProgress
from fleet.experiment.reconfigure import Reconfigure, Refitted
from fleet.experiment.record import begin_record, driver_facts
from fleet.experiment.served import ensure_served
from fleet.experiment.session import Session
from fleet.faults.beside import Faults
from fleet.faults.beside import check as check_faults
from fleet.faults.registry import Planned
from fleet.faults.registry import planned as planned_faults
from fleet.faults.schedule import scheduled
from fleet.kube.looplag import LoopLag
from fleet.kube.resources import PODS, Resource
from fleet.managers import registry
from fleet.managers.manager import Manager, Spaces
from fleet.model.experiment_file import COUNTED, PolicyExperiment
from fleet.model.experiment_load import sweep
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import nearest
from fleet.model.run_names import RunNames
from fleet.observe.pprof import chosen
from fleet.observe.profiling import Profiling
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.observe.textfile import folders, publish
from fleet.observe.tracker import Tracker
from fleet.observe.watcher import Watcher
from fleet.results.events import HostSample, Line, MetricSample, ProcessSample, ProfileTaken
from fleet.results.folder import RunFolder
from fleet.results.run import Ending, EndingKind, RunRecord

MEASURED = frozenset({"load", "drain"})
"""Steps in which stamps become latencies: how late the loop is elsewhere (connecting, cleaning) harms nothing."""
CLEAN_COMMAND = "fleet experiment clean --run {run}"


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    folder: Path
    verdict: Status
    exit_code: int
    """0 valid, 4 partial or invalid, 128 + signal when interrupted."""
    reasons: tuple[str, ...] = ()


def plan(
    fleet: FleetFile, experiment: Experiment, spec: PolicyExperiment, *, hold_back: float | None = None
) -> list[TrialPlan]:
    """Every trial in its order. UsageError, naming the field, for what this fleet or its manager cannot do.

    `hold_back` in seconds: how long the manager may delay what it has scheduled; None: as its record says.
    """
    manager = registry.of(fleet)
    _check_manager(experiment, spec, manager)
    check_whole(fleet)
    counts = sweep(spec, len(fleet.wecs()))
    experiment.check(spec, fleet)
    if spec.profiles.enabled:
        chosen(fleet, spec.profiles.programs)
    if hold_back is None:
        hold_back = max((delay.seconds for delay in manager.record(fleet).fixed if delay.holds_back), default=0.0)
    if spec.quiet <= 2 * hold_back:
        raise SpecError(
            f"{spec.quiet:g} s is not more than twice the {hold_back:g} s that {manager.name} holds back: a load could "
            f"ride on a sync that is already scheduled. Write {2 * hold_back + 1:g}s",
            field="quiet",
        )
    for number, threshold in enumerate(spec.thresholds):
        stages = (*HopTable(manager.record(fleet)).stages, *COUNTED)
        if threshold.stage not in stages:
            raise SpecError(
                f"{threshold.stage!r} is no stage{nearest(threshold.stage, stages)}",
                field=f"thresholds.{number}.stage",
            )
    wecs, sources = ([entry.name for entry in entries] for entries in (fleet.wecs(), fleet.sources()))
    made = trials(experiment, spec, manager, wecs=wecs, counts=counts, sources=sources)
    check_changes(made, fleet)
    check_loads(made, manager, fleet.limits, spec.timeouts.object)
    faults_of(spec, fleet, made)
    return made


def faults_of(spec: PolicyExperiment, fleet: FleetFile, made: Sequence[TrialPlan]) -> list[Planned]:
    """What `during` does in those trials, drawn schedules written out. SpecError, naming the field."""
    counted = [trial.id for trial in made if trial.repeat >= 0]
    steps = scheduled(spec.during, counted, seed=spec.seed)
    return planned_faults(steps, fleet, [trial.id for trial in made], seed=spec.seed)


def _check_manager(experiment: Experiment, spec: PolicyExperiment, manager: Manager) -> None:
    """UsageError when it cannot be done under that manager, with the reason."""
    if why := experiment.cannot(manager):
        raise UsageError(f"{experiment.name} cannot be done with manager {manager.name}: {why}")
    if refused := [layout for layout in spec.layouts if layout not in manager.layouts]:
        can = " ".join(f"--layout {layout}" for layout in manager.layouts)
        raise UsageError(f"layouts: manager {manager.name} cannot do {' and '.join(refused)}: write {can}")


class Runner:
    """One run of one experiment on one fleet. `run()` may be called once."""

    def __init__(
        self,
        fleet: FleetFile,
        state: Path,
        experiment: Experiment,
        spec: PolicyExperiment,
        results_root: Path,
        *,
        progress: RunProgress,
        keep: bool = False,
        reconfigure: Reconfigure | None = None,
        hold_back: float | None = None,
    ) -> None:
        """`state` is the fleet's folder, where the lock lies; `keep` leaves everything in the clusters.

        `reconfigure` is needed for trials with client limits, links or sources of their own; UsageError without it.
        """
        self.fleet = fleet
        self.manager = registry.of(fleet)
        self.state = state
        self.experiment = experiment
        self.spec = spec
        self.results_root = results_root
        self.progress = progress
        self.keep = keep
        self.reconfigure = reconfigure
        self.trials = plan(fleet, experiment, spec, hold_back=hold_back)
        self.faults = faults_of(spec, fleet, self.trials)
        if reconfigure is None and any(trial.limits or trial.link or trial.serving for trial in self.trials):
            raise UsageError("this experiment changes the fleet between its points, and nothing here can do that")
        RunFolder.check_root(results_root)
        self.interrupts = Interrupts()
        self._endings: list[Ending] = []
        self._lag = LoopLag()

    async def run(self) -> Outcome:
        """Do it. FleetError only for what is refused before the run folder exists."""
        wecs = {name for trial in self.trials for name in trial.clusters}
        sources = {name for trial in self.trials for name in trial.sources}
        with held(self.state, f"fleet experiment run {self.spec.name}"):
            async with self.interrupts, opened(self.fleet, wecs, sources) as spaces:
                await self._check(spaces)
                folder = RunFolder.create(self.results_root, self.spec.name, datetime.now(UTC))
                record = begin_record(folder, self._spec_as_run(), self.fleet)
                folder.write_run(record)
                self.progress.begin(folder.path, len(self.trials))
                return await self._measure(spaces, folder, record)

    def _spec_as_run(self) -> PolicyExperiment:
        """The spec, with the profiles that are really taken."""
        return self.spec.model_copy(update={"profiles": self.experiment.profiles(self.spec)})

    async def _check(self, spaces: Spaces) -> None:
        """In a task that a signal ends: the run then ends as soon as it has a folder to say so in."""
        task = asyncio.create_task(self._refuse(spaces))
        self.interrupts.watch(task)
        try:
            await task
        except asyncio.CancelledError:
            if self.interrupts.received is None:
                raise

    async def _refuse(self, spaces: Spaces) -> None:
        """FleetError when something stands against this run; only reads and reviews."""
        await check_access(self.fleet, spaces, self._kinds, crds=any(trial.content.crds for trial in self.trials))
        await check(spaces, self.manager)
        await check_faults(self.fleet, self.faults)

    @property
    def _kinds(self) -> tuple[Resource, ...]:
        """Of the workload."""
        return tuple(dict.fromkeys(kind for trial in self.trials for kind in trial.content.resources))

    async def _measure(self, spaces: Spaces, folder: RunFolder, record: RunRecord) -> Outcome:
        names = RunNames(folder.id)
        recorded = Recorded(Join(record.manager, source=record.source, object_timeout=self.spec.timeouts.object))
        tracker = Tracker(names=names, sources=spaces.sources.keys())
        log = folder.event_log()
        recorder = Recorder(log, lambda line: _keep(recorded, line), tracker)
        watcher = Watcher(
            spaces, self._kinds, self.manager.hops, recorder, selector=names.selector(), wrapped=self.manager.wraps
        )
        try:
            try:
                await self._supervise(
                    self._work(spaces, names, recorder, recorded.join, watcher, folder.path), recorder
                )
            except Exception:  # a defect of ours: raised again when the clusters are clean
                await self._clean(spaces, names, recorder)
                raise
            await self._clean(spaces, names, recorder)
        finally:
            try:
                log.close()
            except MeasurementError as error:
                self._ends("unwritten", f"the events could not be written: {error}")
            facts = driver_facts(self._lag, watcher.reflectors, recorder.gaps, log.dropped)
            record = self._close(record.with_(driver=facts), recorded)
            folder.write_run(record)
        if self.interrupts.at_once or self.keep:
            self.progress.note(f"left in the clusters; remove it with: {CLEAN_COMMAND.format(run=folder.id)}")
        self.progress.end(f"{record.status}: {'; '.join(record.reasons) or 'nothing is missing'}")
        status: Status = "valid" if record.status == "valid" else "invalid" if record.status == "invalid" else "partial"
        code = self.interrupts.exit_code or (0 if status == "valid" else MeasurementError.exit_code)
        return Outcome(folder.path, status, code, tuple(record.reasons))

    def _close(self, record: RunRecord, recorded: Recorded) -> RunRecord:
        """The record of a run that has ended, judged by what was recorded."""
        received = self.interrupts.received
        ended = record.with_(
            ended=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            status="valid",
            endings=self._endings,
            interrupted=received.name if received else "",
        )
        verdict = judge(ended, recorded, recorded.join.samples())
        return ended.with_(status=verdict.status, reasons=list(verdict.reasons))

    def _ends(self, kind: EndingKind, text: str) -> None:
        self._endings.append(Ending(kind=kind, text=text))

    async def _supervise(self, work: Coroutine[Any, Any, None], recorder: Recorder) -> None:
        """Run `work` until it ends, a signal ends it, or the disk refuses; remember why."""
        task = asyncio.create_task(work)
        failed = asyncio.create_task(recorder.failed.wait())
        self.interrupts.watch(task)
        if self.interrupts.received is not None:
            task.cancel()
        try:
            await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
            if recorder.failure is not None:
                task.cancel()
                self._ends("unwritten", f"the events could not be written: {recorder.failure}")
            await task
        except asyncio.CancelledError:
            if self.interrupts.received is None and recorder.failure is None:
                raise
        except FleetError as error:
            self._ends("failed", f"ended early: {error}")
        except Exception as error:
            self._ends("failed", f"ended early by a defect of fleet: {type(error).__name__}: {error}")
            raise
        finally:
            failed.cancel()
            if self.interrupts.received is not None:
                signal = self.interrupts.received.name
                self._endings.insert(0, Ending(kind="interrupted", text=f"interrupted by {signal}"))
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _work(  # noqa: PLR0917 - what a run is made of
        self, spaces: Spaces, names: RunNames, recorder: Recorder, join: Join, watcher: Watcher, run: Path
    ) -> None:
        """From the first watch to the last trial."""
        async with AsyncExitStack() as stack:
            everybody = self.experiment.everybody
            sampling = await stack.enter_async_context(
                Sampling(self.fleet, recorder, self.manager.record(self.fleet), everybody=everybody)
            )
            faults = Faults(self.fleet, self.faults, recorder)
            session = Session(
                spec=self.spec,
                manager=self.manager,
                names=names,
                spaces=spaces,
                recorder=recorder,
                join=join,
                progress=self.progress,
                sampling=sampling,
                faults=faults,
            )
            async with session.step("prepare"):
                contents = {trial.content.name: trial.content for trial in self.trials}
                await ensure_served(
                    spaces, self.manager, [crd for content in contents.values() for crd in content.crds]
                )
                await stack.enter_async_context(watcher)
                wanted = {policy.namespace for trial in self.trials for policy in trial_policies(trial, names)}
                pods = any(PODS in content.resources for content in contents.values())
                await make_namespaces(spaces, self.manager, names, wanted, pods=pods)
            await stack.enter_async_context(_beside(session.keep_sampling()))
            refitted = await stack.enter_async_context(Refitted(session, self.reconfigure, self.fleet))
            # Inside it, so that the last round is of the programs that were measured, not of restarted ones.
            await stack.enter_async_context(Profiling(self.fleet, self.experiment.profiles(self.spec), run, recorder))
            await stack.enter_async_context(faults)
            await self._trials(session, refitted)

    async def _trials(self, session: Session, refitted: Refitted) -> None:
        number = 0
        for group in groups(self.trials):
            first = group.trials[0]
            await refitted.have(first.limits, first.link, first.serving)
            for trial in group.trials:
                number += 1
                self.progress.trial(number, str(trial))
                last = trial is group.trials[-1]
                for step in trial_steps(self.experiment, self.spec, last=last):
                    async with AsyncExitStack() as stack:
                        await stack.enter_async_context(session.step(step.name, trial.id))
                        if step.name in MEASURED:
                            await stack.enter_async_context(self._lag)
                        await step.do(session, trial)
                await asyncio.to_thread(session.recorder.sync)
                if session.recorder.failure is not None:
                    session.recorder.failed.set()
                await asyncio.to_thread(self._publish, session)

    def _publish(self, session: Session) -> None:
        """Show the run's samples so far to a Prometheus that runs beside the fleet; between trials, as it takes CPU."""
        if not folders(self.fleet):
            return
        facts = {"run": session.names.run_id, "experiment": self.spec.experiment, "fleet": self.fleet.name}
        objects = {
            Setting(trial.layout, trial.wecs, trial.point): trial.objects for trial in self.trials if trial.repeat >= 0
        }
        try:
            publish(self.fleet, Exposition(session.join.table.manager, session.join.samples(), objects, facts))
        except OSError as error:
            self.progress.note(f"the metrics of this run cannot be shown to Prometheus: {error}")

    async def _clean(self, spaces: Spaces, names: RunNames, recorder: Recorder) -> None:
        """Take everything of this run out of the clusters, within `timeouts.clean`; a second SIGINT ends it."""
        if self.keep:
            return

        async def clean() -> None:
            self.progress.step("clean up")
            recorder.mark("clean-up", "begin")
            seconds = self.spec.timeouts.clean
            report = await remove(spaces, self.manager, names.run_id, timeout=seconds, workload=self._kinds)
            recorder.mark("clean-up", "end")
            for sentence in report.left:
                recorder.anomaly("left-behind", sentence)
            if report.left:
                self.progress.note(f"something is left; try: {CLEAN_COMMAND.format(run=names.run_id)}")

        task = asyncio.create_task(clean())
        self.interrupts.watch(task)
        try:
            await task
        except asyncio.CancelledError:
            if self.interrupts.received is None:
                raise
            if not self.interrupts.at_once:  # the first signal came during the clean-up: let it finish
                self._ends("interrupted", f"interrupted by {self.interrupts.received.name} while cleaning up")
                await self._clean(spaces, names, recorder)


def trial_steps(experiment: Experiment, spec: PolicyExperiment, *, last: bool) -> tuple[steps.Step, ...]:
    """The steps of one trial; the group's `last` one also takes the policies away."""
    return (
        steps.Announce(),
        *((PrepareFaults(),) if spec.during else ()),
        steps.Apply(),
        steps.Settle(),
        *((BeginFaults(),) if spec.during else ()),
        *experiment.measure,
        *((EndFaults(),) if spec.during else ()),
        *((steps.Linger(),) if spec.after else ()),
        steps.Quieten(),
        steps.Clean(policies=last),
    )


def _keep(recorded: Recorded, line: Line) -> None:
    """Keep what the verdict needs; samples of programs are many and lie in the file."""
    if not isinstance(line, ProcessSample | HostSample | MetricSample | ProfileTaken):
        recorded.add(line)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` goes on beside the block and is cancelled at its end; its own error, if any, is raised there."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
    for error in results:
        if isinstance(error, Exception):
            raise error


def state_folder(fleet: FleetFile) -> Path:
    """The fleet's own folder on this machine: the first local machine's, else the one that holds the kubeconfigs."""
    for machine in fleet.machines:
        if machine.connection == "local":
            return Path(machine.state_dir)
    # `<folder>/kubeconfigs/<cluster>` (fleet.inventory.record).
    return Path(fleet.clusters[0].kubeconfig).parents[1]
