"""Its trials and its body."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fleet.errors import FleetError, UsageError
from fleet.experiment import open_loop, routes
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.watches import Watches, pod_marks
from fleet.experiments.replay import priorities
from fleet.experiments.replay.analysis import MOST_LAG, TRACE_FILE
from fleet.experiments.replay.loads import Loads
from fleet.experiments.replay.played import Wishes, entries, last_mark
from fleet.experiments.replay.spec import Replay, check
from fleet.kube import resources
from fleet.kube.each import each
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.pod_marks import ENDED, RUNNING, SCHEDULED
from fleet.model.stage import Stage
from fleet.observe.marks import Mark, Object
from fleet.trace import place
from fleet.trace.file import read

PODS = str(resources.PODS)
FILL_AT_ONCE = 32


@dataclass(frozen=True)
class ReplayTrial(PlannedTrial):
    """One speed."""

    speed: float = 1.0


class ReplayExperiment(OwnExperiment[Replay]):
    """The body."""

    name = "replay"
    file = Replay
    own_stages = (
        Stage(name="lag", begin="due", end="sent", text="due, sent by the driver", resolution=MOST_LAG),
        Stage(
            name="arrival",
            begin="sent",
            end="created",
            text="sent, seen in its WEC",
            resource=PODS,
            optional=True,
            resolution=MOST_LAG,
        ),
        Stage(
            name="schedule", begin="created", end=SCHEDULED, text="seen, has a node", resource=PODS, resolution=MOST_LAG
        ),
        Stage(
            name="start",
            begin=SCHEDULED,
            end=RUNNING,
            text="has a node, runs",
            resource=PODS,
            optional=True,
            resolution=MOST_LAG,
        ),
    )

    def plan(self, spec: Replay, fleet: FleetFile, manager: Manager) -> Sequence[ReplayTrial]:
        """A trial per speed and repeat."""
        trace = read(place.find(spec.trace))
        wecs = routes.chosen(fleet, spec.clusters)
        routes.check(spec.through, manager)
        check(spec, trace, fleet, len(wecs))
        if spec.owners == "controllers" and spec.through == "manager":
            raise UsageError("owners: Jobs and ReplicaSets are played directly: write `through: direct`")
        speeds = {f"speed={speed:g}": speed for speed in spec.speeds}
        what = f"{len(trace.pods)} pods"
        return [
            ReplayTrial(
                one.id, one.repeat, one.point, wecs,
                f"{what} in {trace.header.span / speeds[one.point]:.0f} s", speeds[one.point],
            )
            for one in repeated(spec, list(speeds), wecs)
        ]  # fmt: skip

    async def run(self, session: Session, trials: Sequence[ReplayTrial]) -> None:
        """Every trial under the same watches; what it made is gone before the next."""
        spec: Replay = session.spec
        trace = read(place.find(spec.trace))
        session.folder.write(f"raw/{TRACE_FILE}", place.find(spec.trace).read_bytes())
        names = session.names
        async with session.step("prepare"):
            await make_namespaces(session.spaces, session.manager, names, {names.namespace}, pods=True)
            kinds = (resources.PODS, resources.JOBS, resources.REPLICASETS)
            wanted = kinds if spec.owners == "controllers" else kinds[:1]
            ways = await routes.opened(session, spec.through, trials[0].clusters, wanted)
            recorded = priorities.classes(trace.pods, names) if spec.priorities == "recorded" else {}
            await priorities.create(session, trials[0].clusters, recorded)
        wishes = Wishes(spec.requests == "recorded", recorded)
        current: list[Loads] = []

        def reader(wec: str, pod: Object) -> Iterator[Mark]:
            for loads in current:
                loads.heard(wec, pod)
            return pod_marks(pod)

        async with Watches(session, trials[0].clusters, {resources.PODS: reader}) as watches, session.measuring():
            for trial in trials:
                watches.begin(trial.id)
                loads = Loads(
                    session, trial.id, trial.speed, {way.wec: way for way in ways},
                    entries(trace.pods, trial.id, trial.speed, trial.clusters),
                    spec.owners == "controllers", wishes,
                )  # fmt: skip
                current[:] = [loads]
                async with session.trial(trial):
                    try:
                        await self._trial(session, watches, trial, loads)
                    finally:
                        loads.stop()

    async def _trial(self, session: Session, watches: Watches, trial: ReplayTrial, loads: Loads) -> None:
        actions, before = loads.actions(), loads.before()
        session.expect(trial.id, PODS, len(loads.entries))
        if before:
            async with session.step("fill", trial.id):
                await each(before, lambda create: create(), at_once=FILL_AT_ONCE)
                await watches.reached(resources.PODS, RUNNING, len(before), timeout=session.spec.timeouts.settle)
        async with session.disturbed(trial):
            async with session.step("load", trial.id, measured=True):
                await open_loop.run(actions, time.monotonic_ns())
            async with session.step("drain", trial.id, measured=True):
                await self._drain(session, watches, trial, loads)
        async with session.step("clean", trial.id):
            await self._remove(session, watches, trial, loads)

    async def _drain(self, session: Session, watches: Watches, trial: ReplayTrial, loads: Loads) -> None:
        """Until each pod has ended as it did, or the last of them should have for `timeouts.object`."""
        last = Counter(last_mark(entry, controllers=loads.controllers) for entry in loads.entries)
        wanted = {ENDED: last[ENDED], "deleted": last["deleted"], RUNNING: last[ENDED] + last[RUNNING]}
        sent = max(entry.due for entry in loads.entries)
        over = max(entry.due + (entry.pod.ends_after or 0.0) / trial.speed for entry in loads.entries)
        left = max(0.0, over - sent) + session.spec.timeouts.object
        deadline = time.monotonic() + left
        for mark, count in wanted.items():
            if not await watches.reached(resources.PODS, mark, count, timeout=max(0.0, deadline - time.monotonic())):
                there = watches.count(resources.PODS, mark)
                said = f"{there} of {count} pods were {mark} within {left:.0f} s of the last creation"
                session.recorder.anomaly("unfinished", said, trial=trial.id)

    async def _remove(self, session: Session, watches: Watches, trial: ReplayTrial, loads: Loads) -> None:
        """Everything of the trial, so that the next finds empty nodes."""
        await loads.remove()
        created = watches.count(resources.PODS, "created")
        if not await watches.reached(resources.PODS, "deleted", created, timeout=session.spec.timeouts.clean):
            left = (
                f"{created - watches.count(resources.PODS, 'deleted')} of {created} pods of the trial are still there"
            )
            session.recorder.anomaly("left-behind", left, trial=trial.id)

    async def clean(self, session: Session, trials: Sequence[ReplayTrial], seconds: float) -> CleanReport:
        """Its namespaces, then its PriorityClasses, which are in none."""
        report = await super().clean(session, trials, seconds)
        try:
            await priorities.remove(session)
        except FleetError as error:
            return replace(report, left=(*report.left, str(error)))
        return report


EXPERIMENT = ReplayExperiment()
