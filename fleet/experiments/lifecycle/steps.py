"""The steps after an object has gone its whole way: change it, and take it away, each until all WECs show it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from fleet.experiment.plan import TrialPlan, trial_objects
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.steps import IN_FLIGHT
from fleet.experiments.lifecycle.marks import ENDS, REMOVE, UPDATE, Follower
from fleet.experiments.lifecycle.spec import Lifecycle
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.transport import Answer
from fleet.workload.objects import WorkloadObject

NAMED = 3
"""Missing objects that an anomaly names."""


class Change:
    """Gives each object one replica more: a merge patch of what was sent to its source."""

    name = "change"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when every WEC has it; an anomaly when that takes longer than `timeouts.object`."""
        assert isinstance(session.spec, Lifecycle)  # noqa: S101 - the experiment's own step
        changed = replace(trial, content=session.spec.updated_content)
        items = [
            item
            for policy in session.policies(trial)
            for item in trial_objects(changed, policy, session.names, session.manager)
        ]

        def patch(client: KubeClient, item: WorkloadObject) -> Awaitable[Answer]:
            write = item.write
            path = write.resource.path(write.name, write.namespace)
            return client.request("PATCH", path, body=write.body, content_type="application/merge-patch+json")

        await _follow(session, trial, items, UPDATE, patch)


class Remove:
    """Deletes each object at its source."""

    name = "remove"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when it is gone from every WEC; an anomaly when that takes longer than `timeouts.object`."""

        def delete(client: KubeClient, item: WorkloadObject) -> Awaitable[Answer]:
            write = item.write
            body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
            return client.request("DELETE", write.resource.path(write.name, write.namespace), body=body)

        await _follow(session, trial, session.objects(trial), REMOVE, delete)


async def _follow(
    session: PolicySession,
    trial: TrialPlan,
    items: Sequence[WorkloadObject],
    verb: str,
    send: Callable[[KubeClient, WorkloadObject], Awaitable[Answer]],
) -> None:
    """Send one request for each object, and wait until its WECs show what it does."""
    assert isinstance(session.spec, Lifecycle)  # noqa: S101 - the experiment's own step
    recorder, limit = session.recorder, session.spec.timeouts.object
    follower = Follower(trial.id, ENDS[verb], session.spec.updated, recorder.record)
    follower.expect(items)

    async def one(item: WorkloadObject) -> None:
        client, ref = session.spaces.sources[item.source], item.ref
        where = (str(item.resource), ref.name, ref.namespace)
        await session.request(trial.id, verb, item.source, lambda: send(client, item), *where)

    def all_there() -> bool:
        session.progress.marks(follower.total - len(follower.left), follower.total)
        return not follower.left

    with recorder.listening(follower.feed):
        await each(items, one, at_once=IN_FLIGHT)
        if not await recorder.until(all_there, timeout=limit):
            names = ", ".join(f"{ref.name} in {cluster}" for cluster, ref in follower.left[:NAMED])
            text = f"{verb} of {len(follower.left)} of {follower.total} not seen within {limit:g} s: {names}"
            recorder.anomaly("incomplete", text, trial=trial.id)
    await session.sampling.sample()
