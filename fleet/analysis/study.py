"""A run folder made into everything that its reports show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.analysis.checker.check import Checked, Checker, beside, some
from fleet.analysis.cpu_shares import CpuShare, cpu_shares
from fleet.analysis.dispatch import Dispatch, dispatches
from fleet.analysis.disturbances import Disturbances, disturbances, flagged
from fleet.analysis.fidelity import LoadFidelity, fidelity
from fleet.analysis.fights import Activity, Fight, activity, fights
from fleet.analysis.findings import NOTHING, Findings, findings_of
from fleet.analysis.hop_table import HopTable
from fleet.analysis.leak_sites import with_sites
from fleet.analysis.leaks import Leak, leaks
from fleet.analysis.prediction import Prediction, predictions
from fleet.analysis.profiles import NO_PROFILES, RunProfiles, read_profiles
from fleet.analysis.quality import Verdict, judge
from fleet.analysis.recorded import Recorded, record
from fleet.analysis.recovery import FaultRow, FaultTrial, Known, fault_rows, fault_trials, settling
from fleet.analysis.resources import Usage, usages
from fleet.analysis.roundtrips import RoundTrips, round_trips
from fleet.analysis.sample_columns import Samples
from fleet.analysis.sample_timeline import Timeline, slowest, timelines
from fleet.analysis.sealed_summary import disagreements
from fleet.analysis.stamp_errors import StampErrors, StampReader, known
from fleet.analysis.summary import Failure, Row, Summary, summarise
from fleet.analysis.theory import theory_of
from fleet.analysis.thresholds import failures
from fleet.model.base import Model
from fleet.model.experiment_file import RecordedExperiment
from fleet.model.leak_rules import LeakRules
from fleet.results.folder import EVENTS, RUN, RunFolder
from fleet.results.run import RunRecord

SLOWEST = 3
"""Samples of which the report has every line."""
AUDIT = "audit"
"""The variable of the fleet that has its API servers keep audit lines."""
HEADLINE = ("downsync", "e2e", "e2e_reported")
"""Stages of which the verdict says how exact they are."""


@dataclass(frozen=True)
class Study:
    """One run, analysed."""

    run: RunRecord
    recorded: Recorded
    samples: Samples
    rows: Sequence[Row]
    predictions: Sequence[Prediction]
    usages: Sequence[Usage]
    failures: Sequence[Failure]
    verdict: Verdict
    loads: Sequence[LoadFidelity]
    activity: Sequence[Activity]
    """Writes after the load had ended."""
    fights: Sequence[Fight]
    leaks: Sequence[Leak]
    """Of a long run."""
    roundtrips: Sequence[RoundTrips]
    """Of a run that swept the links between WECs and hub."""
    sharing: Sequence[Model]
    """Of a run that swept the sources that share a transport; rows of the manager's own package."""
    disturbances: Disturbances
    cpu: Sequence[CpuShare]
    """Whose programs took the CPU of the counted trials."""
    dispatches: Sequence[Dispatch]
    """How long API servers took to hand watch events on, where they report it."""
    stamps: StampErrors | None
    """Of a run that kept audit lines: how exact its latencies are."""
    lost: int
    """Lines of events.jsonl that could not be read."""
    checked: Checked
    """What the checker says of the run's history."""
    faults: Sequence[FaultTrial]
    """Each planned fault in each trial: when it was noticed, when all was right again."""
    fault_rows: Sequence[FaultRow]
    """The same over repeats."""
    profiles: RunProfiles = NO_PROFILES
    own: Findings = NOTHING
    """Of an experiment with a body of its own."""
    folder: Path = Path()
    """Of the run: where its profiles lie."""
    slowest: Sequence[Timeline] = ()
    """The slowest samples of the stage that matters most, each with its lines."""
    disagrees: Sequence[str] = ()
    """Where summary.json, as it was sealed, is not what the events say."""

    @property
    def table(self) -> HopTable:
        """The hops and stages of its manager."""
        return self.recorded.join.table

    @property
    def stages(self) -> Sequence[str]:
        """Every stage that a sample can be of, in the order in which they are shown."""
        return tuple(dict.fromkeys((*self.own.stages, *self.table.stages, *(s.stage for s in self.own.samples))))

    @property
    def summary(self) -> Summary:
        """What summary.json holds."""
        return Summary(
            id=self.run.id,
            experiment=self.run.experiment,
            status=self.verdict.status,
            reasons=list(self.verdict.reasons),
            warnings=list(self.verdict.warnings),
            findings=[*self.own.said, *self.verdict.findings],
            planned=list(self.verdict.planned),
            known=list(self.verdict.known),
            stamps=self.stamps,
            dispatches=list(self.dispatches),
            cpu=list(self.cpu),
            rows=list(self.rows),
            failures=list(self.failures),
            loads=list(self.loads),
            activity=list(self.activity),
            fights=list(self.fights),
            leaks=list(self.leaks),
            roundtrips=list(self.roundtrips),
            sharing=list(self.sharing),
            faults=list(self.fault_rows),
            fault_trials=list(self.faults),
            checker=self.checked.counts,
            tables=list(self.own.tables),
        )


def analyse(folder: RunFolder) -> Study:
    """Read run.json and events.jsonl and nothing else. UsageError when one is missing or of a newer format."""
    modified = [name for name in folder.modified() if name in (RUN, EVENTS)]
    run = folder.read_run()
    reading = folder.events(run.format)
    checker, stamps, timeouts = Checker.of(run), StampReader(), run.spec.timeouts
    lines = beside(reading, checker)
    audited = bool(run.fleet.variables.get(AUDIT))
    lines = stamps.beside(lines) if audited else lines
    recorded = record(lines, run.manager, source=run.source, object_timeout=timeouts.object, versions=audited)
    troubled = disturbances(recorded)
    own = findings_of(run, recorded, folder.path)
    samples = flagged(recorded.join.samples() + own.samples, troubled)
    rank, theory = recorded.join.table.rank, theory_of(run.manager.name)
    rows = summarise(samples, _rank(recorded, own))
    used = usages(recorded)
    fought = fights(recorded)
    grown = _leaks(run.spec, recorded, used, folder.path)
    counts = {"fights": len(fought), "leaks": sum(1 for leak in grown if leak.verdict == "leaking")}
    checked = checker.checked()
    leaking = [str(leak) for leak in grown if leak.verdict == "leaking"]
    found = [*map(str, fought), *leaking, *some(checked.findings)]
    hub = {cluster.name for cluster in run.fleet.hub() or run.fleet.wecs()}
    settles = settling(own.samples, {stage.name for stage in run.stages if stage.settles})
    faults = fault_trials(Known(checker.history, recorded, hub, settles))
    calm = frozenset(plan.trial for plan in recorded.trials if plan.repeat >= 0)
    calm -= troubled.disturbed | troubled.faulted
    verdict = judge(run, recorded, samples, own, lost=reading.lost, torn=reading.torn, modified=modified)
    errors = stamps.errors(samples)
    exact = tuple(known(errors, own.stages or HEADLINE)) if errors else ()
    return Study(
        run=run,
        recorded=recorded,
        samples=samples,
        rows=rows,
        predictions=predictions(recorded, samples, run.fleet.limits, theory),
        usages=used,
        failures=[*failures(run.spec.thresholds, rows, counts), *_unmet(own)],
        verdict=replace(verdict, findings=tuple(found), known=exact),
        loads=fidelity(recorded),
        activity=activity(recorded),
        fights=fought,
        leaks=grown,
        roundtrips=round_trips(samples, rank, theory.link if theory else None),
        sharing=theory.sharing(run, recorded, rows) if theory else [],
        disturbances=troubled,
        cpu=cpu_shares(recorded, run.fleet, run.manager),
        dispatches=dispatches(recorded),
        stamps=errors,
        lost=reading.lost,
        checked=checked,
        faults=faults,
        fault_rows=fault_rows(faults, samples, calm),
        profiles=read_profiles(folder.path, recorded.profiles),
        own=own,
        folder=folder.path,
        slowest=timelines(folder, run.format, samples, slowest(samples, _last_stage(rows, own), SLOWEST), run.source),
        disagrees=disagreements(folder, rows, verdict.status),
    )


def _unmet(own: Findings) -> list[Failure]:
    """What the experiment itself demands and does not hold."""
    return [
        Failure(stage=one.stage, test=one.test, point=one.point, text=one.text) for one in own.assertions if one.why
    ]


def so_far(run: RunRecord, recorded: Recorded, folder: Path) -> Study:
    """Of a run that still goes on: what is cheap to say and changes as it goes; all else is empty."""
    troubled = disturbances(recorded)
    try:
        own = findings_of(run, recorded, folder)
    except Exception:  # noqa: BLE001 - somebody's analysis, of a run that is not whole: its report says it
        own = NOTHING
    samples = flagged(recorded.join.samples() + own.samples, troubled)
    return Study(
        run=run,
        recorded=recorded,
        samples=samples,
        rows=summarise(samples, _rank(recorded, own)),
        predictions=(),
        usages=usages(recorded),
        failures=(),
        verdict=Verdict("partial"),
        loads=(),
        activity=(),
        fights=(),
        leaks=(),
        roundtrips=(),
        sharing=(),
        disturbances=troubled,
        cpu=cpu_shares(recorded, run.fleet, run.manager),
        dispatches=(),
        stamps=None,
        lost=0,
        checked=Checker.of(run).checked(),
        faults=(),
        fault_rows=(),
        own=own,
        folder=folder,
    )


def _last_stage(rows: Sequence[Row], own: Findings) -> str:
    """The stage that holds the others: of an experiment's own its last, else the way there and back, else there."""
    measured = {row.stage for row in rows if row.count}
    return next(
        (stage for stage in (*reversed(own.stages), "e2e", "e2e_reported", "downsync") if stage in measured), ""
    )


def _rank(recorded: Recorded, own: Findings) -> dict[str, int]:
    """Place of each stage: the experiment's own first."""
    names = dict.fromkeys((*own.stages, *recorded.join.table.stages, *(sample.stage for sample in own.samples)))
    return {name: number for number, name in enumerate(names)}


def _leaks(spec: RecordedExperiment, recorded: Recorded, used: Sequence[Usage], folder: Path) -> list[Leak]:
    """Of an experiment with rules for them; any other is too short, and changes what it does meanwhile."""
    written = spec.own("leak")
    if written is None:
        return []
    rules = LeakRules.model_validate(written)
    return with_sites(leaks(recorded, used, rules), folder, recorded, rules)
