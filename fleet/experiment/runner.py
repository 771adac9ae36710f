"""The frame of every run: lock, folder, recorder and samplers around the experiment's body, then, however that ended,
the clean-up, the record and the verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.analysis.findings import NOTHING, Findings, findings_of
from fleet.analysis.join import Join
from fleet.analysis.quality import Status, judge
from fleet.analysis.recorded import Recorded
from fleet.errors import FleetError, MeasurementError, SpecError, UsageError
from fleet.experiment.clients import Clients
from fleet.experiment.definition import Experiment
from fleet.experiment.hold import held
from fleet.experiment.interrupts import Interrupts
from fleet.experiment.progress import RunProgress
from fleet.experiment.reconfigure import Reconfigure
from fleet.experiment.record import begin_record, driver_facts
from fleet.experiment.session import Session
from fleet.faults.beside import Faults
from fleet.faults.beside import check as check_faults
from fleet.faults.registry import Planned
from fleet.faults.registry import planned as planned_faults
from fleet.faults.schedule import scheduled
from fleet.managers import registry
from fleet.managers.manager import Spaces
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import nearest
from fleet.model.run_names import RunNames
from fleet.observe.audit_sample import AuditSample
from fleet.observe.pprof import chosen
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.observe.tracker import Tracker
from fleet.results.events import Audited, HostSample, Line, MetricSample, ProcessSample, ProfileTaken
from fleet.results.folder import RunFolder
from fleet.results.run import Ending, EndingKind, RunRecord

CLEAN_COMMAND = "fleet experiment clean --run {run}"


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    folder: Path
    verdict: Status
    exit_code: int
    """0 valid, 4 partial or invalid, 128 + signal when interrupted."""
    reasons: tuple[str, ...] = ()


def plan(fleet: FleetFile, experiment: Experiment, spec: ExperimentFile) -> Sequence[Any]:
    """Every trial in its order. UsageError, naming the field, for what this fleet or its manager cannot do."""
    manager = registry.of(fleet)
    if why := experiment.cannot(manager):
        raise UsageError(f"{experiment.name} cannot be done with manager {manager.name}: {why}")
    if spec.profiles.enabled:
        chosen(fleet, spec.profiles.programs)
    made = experiment.plan(spec, fleet, manager)
    bounded = experiment.bounded(spec, fleet, manager)
    for number, threshold in enumerate(spec.thresholds):
        if threshold.stage not in bounded:
            raise SpecError(
                f"{threshold.stage!r} is no stage{nearest(threshold.stage, bounded)}",
                field=f"thresholds.{number}.stage",
            )
    faults_of(spec, fleet, made)
    return made


def faults_of(spec: ExperimentFile, fleet: FleetFile, made: Sequence[Any]) -> list[Planned]:
    """What `during` does in those trials, drawn schedules written out. SpecError, naming the field."""
    counted = [trial.id for trial in made if trial.repeat >= 0]
    steps = scheduled(spec.during, counted, seed=spec.seed)
    manager = registry.of(fleet).record(fleet)
    return planned_faults(steps, fleet, [trial.id for trial in made], manager, seed=spec.seed)


class Runner:
    """One run of one experiment on one fleet. `run()` may be called once."""

    def __init__(
        self,
        fleet: FleetFile,
        state: Path,
        experiment: Experiment,
        spec: ExperimentFile,
        results_root: Path,
        *,
        progress: RunProgress,
        keep: bool = False,
        reconfigure: Reconfigure | None = None,
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
        self.trials = plan(fleet, experiment, spec)
        self.faults = faults_of(spec, fleet, self.trials)
        if reconfigure is None and experiment.refits(self.trials):
            raise UsageError("this experiment changes the fleet between its points, and nothing here can do that")
        RunFolder.check_root(results_root)
        self.interrupts = Interrupts()
        self._endings: list[Ending] = []

    async def run(self) -> Outcome:
        """Do it. FleetError only for what is refused before the run folder exists."""
        needs = self.experiment.needs(self.spec, self.fleet, self.trials)
        with held(self.state, f"fleet experiment run {self.spec.name}"):
            async with self.interrupts, Clients() as clients:
                await clients.open(self.fleet, needs)
                await self._check(clients.spaces)
                folder = RunFolder.create(self.results_root, self.spec.name, datetime.now(UTC))
                spec = self.spec.model_copy(update={"profiles": self.experiment.profiles(self.spec)})
                record = begin_record(folder, spec, self.fleet, self.experiment.stages(spec))
                folder.write_run(record)
                self.progress.begin(folder.path, len(self.trials))
                return await self._measure(clients, folder, record, spec)

    async def _check(self, spaces: Spaces) -> None:
        """In a task that a signal ends: the run then ends as soon as it has a folder to say so in."""
        task = asyncio.create_task(self._admit(spaces))
        self.interrupts.watch(task)
        try:
            await task
        except asyncio.CancelledError:
            if self.interrupts.received is None:
                raise

    async def _admit(self, spaces: Spaces) -> None:
        """FleetError when something stands against this run. What a killed run has left is undone first."""
        await check_faults(self.fleet, self.faults)
        await self.experiment.admit(self.spec, self.fleet, spaces, self.trials)

    async def _measure(self, clients: Clients, folder: RunFolder, record: RunRecord, spec: ExperimentFile) -> Outcome:
        names = RunNames(folder.id, self.manager.namespace_prefix)
        join = Join(record.manager, source=record.source, object_timeout=spec.timeouts.object, versions=False)
        recorded = Recorded(join)
        log = folder.event_log()
        tracker = Tracker(names=names, sources=clients.spaces.sources.keys())
        audit = AuditSample.of(self.fleet)
        recorder = Recorder(log, lambda line: _keep(recorded, line, audit), tracker)
        session = Session(
            spec=spec,
            fleet=self.fleet,
            manager=self.manager,
            names=names,
            clients=clients,
            recorder=recorder,
            recorded=recorded,
            progress=self.progress,
            sampling=Sampling(self.fleet, recorder, record.manager, everybody=self.experiment.everybody),
            faults=Faults(self.fleet, self.faults, recorder),
            folder=folder,
            reconfigure=self.reconfigure,
        )
        try:
            try:
                await self._supervise(self._work(session), recorder)
            except Exception:  # a defect of ours: raised again when the clusters are clean
                await self._clean(session)
                raise
            await self._clean(session)
            if audit is not None and not self.interrupts.at_once:
                await _audited(audit, recorder)
        finally:
            try:
                log.close()
            except MeasurementError as error:
                self._ends("unwritten", f"the events could not be written: {error}")
            facts = driver_facts(session.lag, session.reflectors, recorder.gaps, log.dropped)
            record = self._close(record.with_(driver=facts), recorded, folder.path)
            folder.write_run(record)
        if self.interrupts.at_once or self.keep:
            self.progress.note(f"left in the clusters; remove it with: {CLEAN_COMMAND.format(run=folder.id)}")
        self.progress.end(f"{record.status}: {'; '.join(record.reasons) or 'nothing is missing'}")
        status: Status = "valid" if record.status == "valid" else "invalid" if record.status == "invalid" else "partial"
        code = self.interrupts.exit_code or (0 if status == "valid" else MeasurementError.exit_code)
        return Outcome(folder.path, status, code, tuple(record.reasons))

    async def _work(self, session: Session) -> None:
        """The body, with the samplers alongside it."""
        async with session.sampling:
            await self.experiment.run(session, self.trials)

    def _close(self, record: RunRecord, recorded: Recorded, folder: Path) -> RunRecord:
        """The record of a run that has ended, judged by what was recorded."""
        received = self.interrupts.received
        found = self._found(record, recorded, folder)
        ended = record.with_(
            ended=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            status="valid",
            endings=self._endings,
            interrupted=received.name if received else "",
        )
        verdict = judge(ended, recorded, recorded.join.samples() + found.samples, found)
        return ended.with_(status=verdict.status, reasons=list(verdict.reasons))

    def _found(self, record: RunRecord, recorded: Recorded, folder: Path) -> Findings:
        """What the experiment's own analysis says. Its failure is the run's, but does not cost the record."""
        try:
            return findings_of(record, recorded, folder)
        except Exception as error:  # noqa: BLE001 - somebody's analysis: the events are written, and are read again
            self._ends("failed", f"the analysis of {self.experiment.name} failed: {type(error).__name__}: {error}")
            return NOTHING

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

    async def _clean(self, session: Session) -> None:
        """Take everything of this run out of the clusters, within `timeouts.clean`; a second SIGINT ends it."""
        if self.keep:
            return

        async def clean() -> None:
            recorder = session.recorder
            self.progress.step("clean up")
            recorder.mark("clean-up", "begin")
            report = await self.experiment.clean(session, self.trials, self.spec.timeouts.clean)
            recorder.mark("clean-up", "end")
            for sentence in report.left:
                recorder.anomaly("left-behind", sentence)
            if report.left:
                self.progress.note(f"something is left; try: {CLEAN_COMMAND.format(run=session.names.run_id)}")

        task = asyncio.create_task(clean())
        self.interrupts.watch(task)
        try:
            await task
        except asyncio.CancelledError:
            if self.interrupts.received is None:
                raise
            if not self.interrupts.at_once:  # the first signal came during the clean-up: let it finish
                self._ends("interrupted", f"interrupted by {self.interrupts.received.name} while cleaning up")
                await self._clean(session)


def _keep(recorded: Recorded, line: Line, audit: AuditSample | None) -> None:
    """Keep what the verdict needs; samples of programs are many and lie in the file."""
    if audit is not None:
        audit.note(line)
    if not isinstance(line, ProcessSample | HostSample | MetricSample | ProfileTaken | Audited):
        recorded.add(line)


async def _audited(audit: AuditSample, recorder: Recorder) -> None:
    """The audit lines of what was seen, at the end of the events."""
    try:
        for line in await audit.lines():
            recorder.record(line)
    except (OSError, ValueError, KeyError) as error:
        recorder.anomaly("audit", f"an audit log cannot be read ({type(error).__name__}: {error})")
    if audit.unread:
        recorder.anomaly("audit", f"no audit log on this machine: {', '.join(audit.unread)}")


def state_folder(fleet: FleetFile) -> Path:
    """The fleet's own folder on this machine: the first local machine's, else the one that holds the kubeconfigs."""
    for machine in fleet.machines:
        if machine.connection == "local":
            return Path(machine.state_dir)
    # `<folder>/kubeconfigs/<cluster>` (fleet.inventory.record).
    return Path(fleet.clusters[0].kubeconfig).parents[1]
