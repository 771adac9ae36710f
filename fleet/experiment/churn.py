"""Load and drain in one, for objects that come to an end: each is deleted once it has completed, while others come."""

from __future__ import annotations

import asyncio

from fleet.experiment.plan import TrialPlan
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.sender import Sender
from fleet.experiment.steps import delete
from fleet.workload.objects import WorkloadObject


class Churn:
    """Sends on schedule and deletes each object as soon as the source shows it completed and its trace is whole."""

    name = "load"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when every object was sent and has gone the whole way, or `timeouts.object` after the last was sent."""
        writes, parallel = session.writes(trial)
        left = {due.item.op: due.item for due in writes}
        total = len(left)
        sending = asyncio.create_task(Sender(session.spaces.sources, session.recorder).send(writes, parallel=parallel))
        try:
            while not sending.done():
                await self._reap(session, left, total, session.spec.quiet)
            await sending
            deadline = asyncio.get_running_loop().time() + session.spec.timeouts.object
            while left and (seconds := deadline - asyncio.get_running_loop().time()) > 0:
                await self._reap(session, left, total, min(seconds, session.spec.quiet))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if left:
            text = f"{len(left)} of {total} objects did not complete within {session.spec.timeouts.object:g} s"
            session.recorder.anomaly("incomplete", text, trial=trial.id)
        await session.sampling.sample()

    async def _reap(self, session: PolicySession, left: dict[str, WorkloadObject], total: int, seconds: float) -> None:
        """Wait at most so long for one to complete, then delete all that did."""
        completed = session.recorder.tracker.completed
        await session.recorder.until(
            lambda: any(op in left and session.join.whole(op) for op in completed), timeout=seconds
        )
        done = [left.pop(op) for op in [*completed] if op in left and session.join.whole(op)]
        for item in done:
            completed.discard(item.op)
        await delete(session, done)
        session.progress.marks(total - len(left), total)
