"""The steps after an object has gone its whole way: change it, and take it away, each until all WECs show it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus

from fleet.errors import KubeError
from fleet.experiment.plan import TrialPlan, trial_objects
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.steps import IN_FLIGHT
from fleet.experiments.lifecycle.marks import ENDS, REMOVE, UPDATE, Follower, key_of
from fleet.experiments.lifecycle.spec import Lifecycle
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import Unreachable
from fleet.kube.transport import Answer
from fleet.results.events import Requested
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
            return client.request(
                "PATCH", path, body=write.body, content_type="application/merge-patch+json", check=False
            )

        await _follow(session, trial, items, UPDATE, patch)


class Remove:
    """Deletes each object at its source."""

    name = "remove"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when it is gone from every WEC; an anomaly when that takes longer than `timeouts.object`."""

        def delete(client: KubeClient, item: WorkloadObject) -> Awaitable[Answer]:
            write = item.write
            body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
            return client.request("DELETE", write.resource.path(write.name, write.namespace), body=body, check=False)

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
        recorder.record(await _request(session.spaces.sources[item.source], item, verb, send))

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


async def _request(
    client: KubeClient,
    item: WorkloadObject,
    verb: str,
    send: Callable[[KubeClient, WorkloadObject], Awaitable[Answer]],
) -> Requested:
    sent_ns, received_ns, code, error = time.monotonic_ns(), 0, 0, ""
    try:
        answer = await send(client, item)
        sent_ns, received_ns, code = answer.sent_ns, answer.received_ns, answer.status
        if code >= HTTPStatus.BAD_REQUEST:
            error = f"status {code}"
    except Unreachable:
        error = "no answer"
    except KubeError as odd:
        error = type(odd).__name__
    return Requested(
        ns=received_ns or time.monotonic_ns(),
        wall=time.time_ns(),
        trial=item.trial,
        op=verb,
        cluster=item.source,
        due_ns=sent_ns,
        sent_ns=sent_ns,
        code=code,
        error=error,
        resource=key_of(item.ref),
        namespace=item.ref.namespace,
        name=item.ref.name,
    )
