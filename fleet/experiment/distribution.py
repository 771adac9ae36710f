"""Experiments that distribute a workload by policies: a value per experiment, one body for all of them.

A trial announces, applies and settles its policies, then goes through the steps that its experiment measures, becomes
quiet and cleans up. Trials of one group share their policies, and the fleet is changed between groups where points
differ in its limits, links or sources.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from fleet.analysis.exposition import Exposition
from fleet.analysis.hop_table import HopTable
from fleet.analysis.samples import Setting
from fleet.errors import SpecError, UsageError
from fleet.experiment import steps
from fleet.experiment.access import check_access
from fleet.experiment.cleanup import CleanReport, remove
from fleet.experiment.connect import check_whole
from fleet.experiment.definition import Needs, PlanTable
from fleet.experiment.during import BeginFaults, EndFaults, PrepareFaults
from fleet.experiment.feasible import check_changes, check_loads
from fleet.experiment.plan import TrialPlan, groups, trial_policies
from fleet.experiment.plan_table import plan_table
from fleet.experiment.points import Ground, Point, trials
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.prepare import check, make_namespaces
from fleet.experiment.reconfigure import OWN, Refitted
from fleet.experiment.served import ensure_served
from fleet.experiment.session import Session, beside
from fleet.kube.resources import PODS, Resource
from fleet.managers import registry
from fleet.managers.manager import Manager, Spaces
from fleet.model.experiment_file import COUNTED, PolicyExperiment, Profiles
from fleet.model.experiment_load import sweep
from fleet.model.fleet_file import FleetFile
from fleet.model.stage import Stage
from fleet.observe.textfile import folders, publish
from fleet.observe.watcher import Watcher

MEASURED = frozenset({"load", "drain", "change", "remove"})
"""Steps in which stamps become latencies: how late the loop is elsewhere (connecting, cleaning) harms nothing."""


def _every(_manager: Manager) -> str:
    return ""


def _any_fleet(_spec: Any, _fleet: FleetFile) -> None:
    return


def _as_written(spec: Any) -> Profiles:
    profiles: Profiles = spec.profiles
    return profiles


@dataclass(frozen=True)
class Distribution:
    """One experiment; implements `fleet.experiment.definition.Experiment`."""

    name: str
    """As the field `experiment` of its files has it."""
    file: type[PolicyExperiment]
    """What its files have, with defaults and short form."""
    points: Callable[[Any, Ground], list[Point]]
    """From its spec and where it runs."""
    measure: tuple[steps.Step, ...] = (steps.Load(), steps.Drain())
    """From the settled fleet to the last sample."""
    cannot: Callable[[Manager], str] = _every
    """Why it cannot be done under that manager, as a sentence without its end; empty when it can."""
    check: Callable[[Any, FleetFile], None] = _any_fleet
    """UsageError, naming the field, for what its spec wants and this fleet does not have."""
    profiles: Callable[[Any], Profiles] = _as_written
    """Of the programs, while it goes on."""
    everybody: bool = False
    """It scrapes every program with metrics: it looks for what grows."""
    own_stages: Sequence[Stage] = ()
    """Stages of its own alongside the manager's; its package's `analysis` makes their samples."""
    hold_back: float | None = None
    """How long the manager may delay what it has scheduled, seconds; None: as its record says."""

    def plan(self, spec: PolicyExperiment, fleet: FleetFile, manager: Manager) -> list[TrialPlan]:
        """As in the protocol."""
        if not manager.layouts:
            raise UsageError(
                f"{self.name} cannot be done with manager {manager.name}, which distributes nothing by policies: run"
                " job-dispatch"
            )
        if refused := [layout for layout in spec.layouts if layout not in manager.layouts]:
            can = " ".join(f"--layout {layout}" for layout in manager.layouts)
            raise UsageError(f"layouts: manager {manager.name} cannot do {' and '.join(refused)}: write {can}")
        check_whole(fleet)
        counts = sweep(spec, len(fleet.wecs()))
        self.check(spec, fleet)
        self._check_quiet(spec, fleet, manager)
        wecs, sources = ([entry.name for entry in entries] for entries in (fleet.wecs(), fleet.sources()))
        made = trials(self.points, spec, manager, wecs=wecs, counts=counts, sources=sources)
        check_changes(made, fleet)
        check_loads(made, manager, fleet.limits, spec.timeouts.object)
        return made

    def _check_quiet(self, spec: PolicyExperiment, fleet: FleetFile, manager: Manager) -> None:
        hold_back = self.hold_back
        if hold_back is None:
            hold_back = max((delay.seconds for delay in manager.record(fleet).fixed if delay.holds_back), default=0.0)
        if spec.quiet <= 2 * hold_back:
            raise SpecError(
                f"{spec.quiet:g} s is not more than twice the {hold_back:g} s that {manager.name} holds back: a load "
                f"could ride on a sync that is already scheduled. Write {2 * hold_back + 1:g}s",
                field="quiet",
            )

    def table(self, trials: Sequence[TrialPlan]) -> PlanTable:
        """A row per group."""
        return plan_table(trials)

    def bounded(self, spec: PolicyExperiment, fleet: FleetFile, manager: Manager) -> Sequence[str]:  # noqa: ARG002
        """The manager's stages, its own, and what is counted."""
        return (*HopTable(manager.record(fleet)).stages, *(stage.name for stage in self.own_stages), *COUNTED)

    def stages(self, spec: PolicyExperiment) -> Sequence[Stage]:  # noqa: ARG002
        """As in the protocol."""
        return self.own_stages

    def needs(self, spec: PolicyExperiment, fleet: FleetFile, trials: Sequence[TrialPlan]) -> Needs:  # noqa: ARG002
        """What the trials use."""
        wecs = frozenset(name for trial in trials for name in trial.clusters)
        return Needs(wecs, frozenset(name for trial in trials for name in trial.sources))

    def refits(self, trials: Sequence[TrialPlan]) -> bool:
        """Where points have client limits, links, sources or a release of their own."""
        return any(trial.changes for trial in trials)

    async def admit(
        self,
        spec: PolicyExperiment,  # noqa: ARG002
        fleet: FleetFile,
        spaces: Spaces,
        trials: Sequence[TrialPlan],
    ) -> None:
        """The credentials may do what is needed, every cluster answers, nothing of another run is left."""
        await check_access(fleet, spaces, _kinds(trials), crds=any(trial.content.crds for trial in trials))
        await check(spaces, registry.of(fleet))

    async def run(self, session: Session, trials: Sequence[TrialPlan]) -> None:
        """From the first watch to the last trial."""
        run = PolicySession.of(session)
        manager, spaces, names = run.manager, run.spaces, run.names
        watcher = Watcher(
            spaces, _kinds(trials), manager.hops, run.recorder, selector=names.selector(), wrapped=manager.wraps
        )
        run.reflectors += watcher.reflectors
        async with AsyncExitStack() as stack:
            async with run.step("prepare"):
                contents = {trial.content.name: trial.content for trial in trials}
                await ensure_served(spaces, manager, [crd for content in contents.values() for crd in content.crds])
                await stack.enter_async_context(watcher)
                wanted = {policy.namespace for trial in trials for policy in trial_policies(trial, names)}
                pods = any(PODS in content.resources for content in contents.values())
                await make_namespaces(spaces, manager, names, wanted, pods=pods)
            await stack.enter_async_context(beside(run.keep_sampling()))
            refitted = await stack.enter_async_context(Refitted(run, run.reconfigure, run.fleet))
            run.refitted = refitted
            # Inside it, so that the last round is of the programs that were measured, not of restarted ones.
            await stack.enter_async_context(run.profiling())
            await stack.enter_async_context(run.faults)
            await self._trials(run, refitted, trials)

    async def _trials(self, session: PolicySession, refitted: Refitted, trials: Sequence[TrialPlan]) -> None:
        number = 0
        for group in groups(list(trials)):
            first = group.trials[0]
            await refitted.have(first.limits, first.link, first.serving, release=first.release or OWN)
            for trial in group.trials:
                number += 1
                session.progress.trial(number, str(trial))
                last = trial is group.trials[-1]
                for step in self.steps(session.spec, last=last):
                    async with session.step(step.name, trial.id, measured=step.name in MEASURED):
                        await step.do(session, trial)
                await session.keep()
                await asyncio.to_thread(_publish, session, trials)

    def steps(self, spec: PolicyExperiment, *, last: bool) -> tuple[steps.Step, ...]:
        """The steps of one trial; the group's `last` one also takes the policies away."""
        return (
            steps.Announce(),
            *((PrepareFaults(),) if spec.during else ()),
            steps.Apply(),
            steps.Settle(),
            *((BeginFaults(),) if spec.during else ()),
            *self.measure,
            *((EndFaults(),) if spec.during else ()),
            *((steps.Linger(),) if spec.after else ()),
            steps.Quieten(),
            steps.Clean(policies=last),
        )

    async def clean(self, session: Session, trials: Sequence[TrialPlan], seconds: float) -> CleanReport:
        """Objects, policies, what the manager made of them, namespaces."""
        spaces, manager, run = session.spaces, session.manager, session.names.run_id
        return await remove(spaces, manager, run, timeout=seconds, workload=_kinds(trials))


def _kinds(trials: Sequence[TrialPlan]) -> tuple[Resource, ...]:
    """Of the workload."""
    return tuple(dict.fromkeys(kind for trial in trials for kind in trial.content.resources))


def _publish(session: PolicySession, trials: Sequence[TrialPlan]) -> None:
    """Show the run's samples so far to a Prometheus that runs alongside the fleet; between trials, as it takes CPU."""
    if not folders(session.fleet):
        return
    facts = {"run": session.names.run_id, "experiment": session.spec.experiment, "fleet": session.fleet.name}
    objects = {Setting(trial.layout, trial.wecs, trial.point): trial.objects for trial in trials if trial.repeat >= 0}
    try:
        publish(session.fleet, Exposition(session.join.table.manager, session.join.samples(), objects, facts))
    except OSError as error:
        session.progress.note(f"the metrics of this run cannot be shown to Prometheus: {error}")
