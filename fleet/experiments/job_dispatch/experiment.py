"""job-dispatch: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from fleet.errors import UsageError
from fleet.experiment.cleanup import CleanReport, remove
from fleet.experiment.own import OwnExperiment
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.reconfigure import Refitted
from fleet.experiment.session import Session
from fleet.experiments.job_dispatch import marks, queues
from fleet.experiments.job_dispatch.spec import Division, JobDispatch
from fleet.experiments.job_dispatch.trial import Bench, DispatchTrial
from fleet.kube.client import KubeClient
from fleet.kube.resources import JOBS
from fleet.managers.installer import installer
from fleet.managers.manager import Manager
from fleet.model.client_limits import with_rates
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.marks import MarkWatch
from fleet.platforms.kueue.names import WORKLOADS

MANAGER = "multikueue"


class JobDispatchExperiment(OwnExperiment[JobDispatch]):
    """The body."""

    name = "job-dispatch"
    file = JobDispatch
    own_stages = marks.STAGES

    def cannot(self, manager: Manager, /) -> str:
        """Under those that distribute objects by policies."""
        return (
            ""
            if manager.name == MANAGER
            else "it dispatches Jobs to one of many workers: fleet up -e manager=multikueue"
        )

    def plan(self, spec: JobDispatch, fleet: FleetFile, manager: Manager) -> Sequence[DispatchTrial]:  # noqa: ARG002
        """Round after round; every other one has the divisions in the other order, so that the fleet is changed once in
        each."""
        wecs = [wec.name for wec in fleet.wecs()]
        counts = [len(wecs)] if spec.workers == "fleet" else list(spec.workers)
        if counts[-1] > len(wecs):
            raise UsageError(
                f"workers: {counts[-1]} are requested, the fleet has {len(wecs)} WECs: grow it with"
                f" `fleet up -e wec_count={counts[-1]}`"
            )
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        turns = [
            (repeat, division, count, load)
            for turn, repeat in enumerate(rounds)
            for division in (spec.divisions if turn % 2 == 0 else reversed(spec.divisions))
            for count in counts
            for load in spec.loads
        ]
        return [
            DispatchTrial(
                trial_id(n), repeat, f"limits={division} load={load}", tuple(wecs[:count]),
                f"{spec.jobs} Jobs over {count} workers", load=load, division=division,
            )
            for n, (repeat, division, count, load) in enumerate(turns)
        ]  # fmt: skip

    def refits(self, trials: Sequence[DispatchTrial]) -> bool:
        """In the open division."""
        return any(trial.division == "open" for trial in trials)

    async def run(self, session: Session, trials: Sequence[DispatchTrial]) -> None:
        """As in the protocol."""
        (hub,) = session.spaces.sources.values()
        space = session.names.namespace
        async with session.step("prepare"):
            await make_namespaces(session.spaces, session.manager, session.names, {space}, pods=True)
        jobs, others = self._watches(session, hub)
        async with AsyncExitStack() as stack:
            for watch in (jobs, *others):
                session.reflectors.append(watch.reflector)
                await stack.enter_async_context(watch)
            refitted = await stack.enter_async_context(Refitted(session, session.reconfigure, session.fleet))
            await stack.enter_async_context(session.measuring())
            bench = Bench(session, hub, jobs, others)
            made: dict[tuple[str, ...], queues.Queues] = {}
            now: tuple[Division, tuple[str, ...]] | None = None
            for trial in trials:
                await refitted.have(self._limits(session, trial.division))
                chosen = made.get(trial.clusters)
                if chosen is None:
                    chosen = made[trial.clusters] = await queues.make(session, hub, trial.clusters)
                if now != (trial.division, trial.clusters):
                    async with session.step("settle"):
                        await queues.active(hub, chosen, session.spec.timeouts.settle)
                        await bench.primer(chosen, trial.id)
                    now = trial.division, trial.clusters
                await bench.run(trial, chosen)

    async def clean(self, session: Session, trials: Sequence[DispatchTrial], seconds: float) -> CleanReport:  # noqa: ARG002
        """Jobs, then queues and namespaces."""
        run = session.names.run_id
        return await remove(session.spaces, session.manager, run, timeout=seconds, workload=(JOBS,))

    @staticmethod
    def _watches(session: Session, hub: KubeClient) -> tuple[MarkWatch, tuple[MarkWatch, ...]]:
        space, recorder = session.names.namespace, session.recorder
        jobs = MarkWatch(hub, JOBS, marks.of_job, recorder, namespace=space)
        workloads = MarkWatch(hub, WORKLOADS, marks.of_workload, recorder, namespace=space)
        wecs = [
            MarkWatch(client, JOBS, marks.of_job, recorder, namespace=space) for client in session.spaces.wecs.values()
        ]
        return jobs, (workloads, *wecs)

    @staticmethod
    def _limits(session: Session, division: Division) -> dict[str, float]:
        """Of the fleet, besides its own."""
        if division == "closed":
            return {}
        raised = session.spec.raised
        limits = installer(session.fleet.manager.name).limits
        return with_rates(limits, qps=raised.qps, burst=raised.burst)


EXPERIMENT = JobDispatchExperiment()
"""Finds job-dispatch by its folder."""
