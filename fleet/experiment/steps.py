"""The steps of a trial, one small class each: apply, settle, load, drain, quieten, clean.

Policies live as long as their group of trials: a settled policy without objects is the state before each load, whether
it is new or its objects were deleted, so trials after the first need not pay for the policies' throttled writes again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Literal, Protocol

from fleet.errors import DeadlineError
from fleet.experiment.plan import TrialPlan
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.sender import Sender
from fleet.kube.each import each
from fleet.kube.errors import NotFound
from fleet.managers.manager import Policy, Write
from fleet.managers.named import named
from fleet.observe.tracker import Left
from fleet.results import events
from fleet.workload.objects import WorkloadObject

IN_FLIGHT = 32
"""Requests at once. An API server's own limit is 200 mutating ones; more only queues there."""

BUSY_LOOK_SECONDS = 1.0
RETURN_SECONDS = 30.0
"""How long a load waits for a WEC that does not answer: its supervisor needs about 10 s to bring it back."""
CHUNK_SECONDS = 1.0
"""Longest wait between two looks at something that no watch announces."""


class Step(Protocol):
    """One step of one trial."""

    name: str

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Do it; FleetError ends the run, everything else that is wrong is recorded as an anomaly."""


class Announce:
    """Writes what the trial will do, so that what never comes can be counted."""

    name = "announce"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """One `trial` line and one `planned` line per object."""
        stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
        clusters = list(trial.clusters)
        session.recorder.record(
            events.TrialPlan(
                **stamps,
                trial=trial.id,
                layout=trial.layout,
                wecs=trial.wecs,
                repeat=trial.repeat,
                clusters=clusters,
                kind=trial.kind,
                point=trial.point,
                policies=trial.policies,
                limits=dict(trial.limits),
                sources=list(trial.sources),
                load=str(trial.load) if trial.load.open else "",
            )
        )
        for item in session.objects(trial):
            session.recorder.record(
                events.Planned(
                    **stamps,
                    trial=trial.id,
                    op=item.op,
                    policy=item.policy,
                    ref=item.ref,
                    clusters=list(item.clusters),
                    status=item.status,
                    kind=item.kind,
                    source=item.source,
                )
            )


class Apply:
    """Creates the group's policies, those that are not there yet."""

    name = "apply"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when their sources have taken them all."""
        manager, sources = session.manager, session.spaces.sources
        missing = [entry for entry in session.policies(trial) if session.recorder.tracker.targets(entry.name) is None]

        async def create(policy: Policy) -> None:
            for write in manager.policies(policy):
                await sources[policy.source].create(write.resource, write.body)

        await each(missing, create, at_once=IN_FLIGHT)


class Settle:
    """Waits until every policy resolves to its WECs and nothing moves any more, and proves it."""

    name = "settle"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """DeadlineError when a policy does not resolve; an anomaly when it never becomes quiet."""
        timeout = session.spec.timeouts.settle
        deadline = time.monotonic() + timeout
        wanted = {
            entry.name: frozenset(entry.clusters)
            for entry in session.policies(trial)
            if session.manager.policies(entry)
        }
        tracker, recorder = session.recorder.tracker, session.recorder

        def unsettled() -> list[str]:
            return [name for name, clusters in wanted.items() if tracker.targets(name) != clusters]

        def settled() -> bool:
            missing = len(unsettled())
            session.progress.marks(len(wanted) - missing, len(wanted))
            return not missing

        if not await recorder.until(settled, timeout=timeout):
            raise DeadlineError(
                f"{', '.join(trial.sources)}: {len(unsettled())} of {len(wanted)} policies do not resolve to their "
                f"WECs within {timeout:g} s ({named(unsettled())}). Do the manager's programs run? See `fleet status`; "
                "timeouts.settle raises the limit"
            )
        chosen = set(trial.clusters)
        await recorder.until(lambda: not recorder.down & chosen, timeout=min(RETURN_SECONDS, timeout))
        why = await quieten(session, deadline)
        if why:
            recorder.anomaly("not-settled", f"not quiet for {session.spec.quiet:g} s: {why}", trial=trial.id)
        await session.sampling.sample()  # where the trial's counters start from


class Load:
    """Sends the trial's objects to their sources."""

    name = "load"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when each was answered."""
        writes, parallel = session.writes(trial)
        await Sender(session.spaces.sources, session.recorder).send(writes, parallel=parallel)


class Drain:
    """Waits until every mark of every object was seen, or the time is up."""

    name = "drain"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """An anomaly when the time is up; the samples that are missing are missing."""
        limit = session.spec.timeouts.object

        def complete() -> bool:
            progress = session.join.progress(trial.id)
            session.progress.marks(sum(progress.done.values()), sum(progress.total.values()))
            return progress.complete

        if not await session.recorder.until(complete, timeout=limit):
            progress = session.join.progress(trial.id)
            lacking = ", ".join(
                f"{mark} {progress.done.get(mark, 0)}/{total}"
                for mark, total in progress.total.items()
                if progress.done.get(mark, 0) < total
            )
            text = f"not complete within {limit:g} s: {lacking or 'nothing was planned'}"
            session.recorder.anomaly("incomplete", text, trial=trial.id)
        await session.sampling.sample()


class Linger:
    """Watches on after the load has ended: who still writes then, writes for no cause of ours."""

    name = "after"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:  # noqa: ARG002 - as every step
        """As long as the spec asks."""
        await asyncio.sleep(session.spec.after)


class Quieten:
    """Waits until the waves that follow the last status (labels, re-applied manifests) have run out."""

    name = "quiet"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """An anomaly when they do not."""
        why = await quieten(session, time.monotonic() + session.spec.timeouts.settle)
        if why:
            session.recorder.anomaly("not-quiet", f"not quiet for {session.spec.quiet:g} s: {why}", trial=trial.id)


class Clean:
    """Deletes the trial's objects and waits, by the watches, until they are gone everywhere.

    Objects go first. After the group's last trial the policies are deleted right behind them: what a manager has bound
    to them then goes as a whole, which saves it throttled writes per policy; the other way round it would first let go
    of every object by itself. What carries a whole namespace stays as long as the policy that takes it.
    """

    name = "clean"

    def __init__(self, *, policies: bool) -> None:
        self._policies = policies

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """An anomaly when something stays; the next trial's objects have other names."""
        recorder = session.recorder
        await delete(session, session.objects(trial))
        policies = session.policies(trial) if self._policies else ()

        async def drop(policy: Policy) -> None:
            for write in reversed(session.manager.policies(policy)):
                await _delete(session, policy.source, write, None)

        await each(policies, drop, at_once=IN_FLIGHT)

        stay = session.manager.own_namespaces and not self._policies

        def left() -> Left:
            found = recorder.tracker.left(session.alive(trial.clusters))
            return Left(found.objects) if stay else found

        def gone() -> bool:
            held = [entry for entry in policies if recorder.tracker.targets(entry.name) is not None]
            return not held and left().nothing

        if not await recorder.until(gone, timeout=session.spec.timeouts.clean):
            text = f"after {session.spec.timeouts.clean:g} s there are still {left()}"
            recorder.anomaly("not-clean", text, trial=trial.id)


async def delete(session: PolicySession, items: Sequence[WorkloadObject]) -> None:
    """Delete objects of the run at their sources; those that are gone already are passed over."""
    await each(items, lambda item: _delete(session, item.source, item.write, "Background"), at_once=IN_FLIGHT)


async def _delete(session: PolicySession, source: str, write: Write, propagation: Literal["Background"] | None) -> None:
    try:
        client = session.spaces.sources[source]
        await client.delete(write.resource, write.name, write.namespace, propagation=propagation)
    except NotFound:
        return


async def quieten(session: PolicySession, deadline: float) -> str:
    """Wait for the quiet that the spec requests; why it did not come by `deadline` (monotonic seconds), or nothing.

    Quiet is: no watch delivered anything, then no program of the manager has work in its queues or sends requests. A
    program that only reads moves nothing that a watch could see, yet empties the bucket of its rate limiter.
    """
    quiet = session.recorder.quiet
    why = "the watches still delivered changes"
    while (left := deadline - time.monotonic()) > 0:
        if not await quiet.wait(session.spec.quiet, timeout=left):
            return f"the last was {quiet.last_what}" if quiet.last_what else why
        why = await session.sampling.busy(min(BUSY_LOOK_SECONDS, session.spec.quiet))
        if not why and quiet.seconds() >= session.spec.quiet:
            return ""
        if why:
            quiet.note(why)
            await asyncio.sleep(min(CHUNK_SECONDS, session.spec.quiet))
    return why
