"""Sends objects to the WDS at their moments, bounded in flight, and records every request with its three times."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from fleet.errors import KubeError
from fleet.kube.client import KubeClient
from fleet.kube.errors import Unreachable
from fleet.kube.resources import Resource
from fleet.observe.recorder import Recorder
from fleet.results.events import Sent
from fleet.workload.objects import WorkloadObject
from fleet.workload.pacing import Due

IN_FLIGHT = 32
"""Requests at once. The WDS API server's own limit is 200 mutating ones; more only queues there."""
ATTEMPTS = 5
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; doubled each time."""
_CREATED = range(200, 300)
_EXISTS = 409

T = TypeVar("T")


async def each(items: Iterable[T], do: Callable[[T], Awaitable[object]], *, at_once: int = IN_FLIGHT) -> None:
    """`do` for every item, at most `at_once` at a time; the first error ends all and is raised as it is."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        async with gate:
            await do(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


class Sender:
    """Creates objects; each attempt is one request and one `sent` line, also when there was no answer."""

    def __init__(self, wds: KubeClient, resource: Resource, recorder: Recorder, *, pause: float = FIRST_PAUSE) -> None:
        self._wds = wds
        self._resource = resource
        self._recorder = recorder
        self._pause = pause

    async def send(self, writes: Sequence[Due]) -> None:
        """All writes, each not before it is due; an anomaly for one that the WDS did not take in any attempt."""
        start_ns = time.monotonic_ns()

        async def one(due: Due) -> None:
            scheduled_ns = start_ns + round(due.offset * 1e9)
            early = (scheduled_ns - time.monotonic_ns()) / 1e9
            if early > 0:
                await asyncio.sleep(early)
            await self._create(due.item, scheduled_ns)

        await each(writes, one)

    async def _create(self, item: WorkloadObject, scheduled_ns: int) -> None:
        body = item.manifest()
        pause = self._pause
        for attempt in range(ATTEMPTS):
            sent = await self._once(item, body, scheduled_ns)
            self._recorder.record(sent)
            # A name that is taken after an attempt without an answer: that attempt had arrived.
            if sent.code in _CREATED or (attempt and sent.code == _EXISTS):
                return
            refused = 400 <= sent.code < 500 and sent.code != 429  # noqa: PLR2004 - asking again cannot help
            if refused or attempt + 1 == ATTEMPTS:
                text = f"{item.ref.name}: the WDS did not take it: {sent.code} {sent.error}".rstrip()
                self._recorder.anomaly("send-failed", text, trial=item.trial, cluster=self._wds.cluster)
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _once(self, item: WorkloadObject, body: object, scheduled_ns: int) -> Sent:
        path = self._resource.path(namespace=item.ref.namespace)
        sent_ns = time.monotonic_ns()
        code, uid, rv, error = 0, "", "", ""
        received_ns = 0
        try:
            answer = await self._wds.request("POST", path, body=body, check=False)
            sent_ns, received_ns, code = answer.sent_ns, answer.received_ns, answer.status
            stored = answer.json()
            if code in _CREATED:
                uid, rv = str(stored["metadata"]["uid"]), str(stored["metadata"]["resourceVersion"])
            else:
                error = str(stored.get("message", ""))[:300]
        except Unreachable as lost:
            error = str(lost)[:300]
        except (KubeError, ValueError, KeyError) as odd:
            error = f"the answer cannot be read: {odd}"[:300]
        return Sent(
            ns=received_ns or time.monotonic_ns(),
            wall=time.time_ns(),
            op=item.op,
            scheduled_ns=scheduled_ns,
            sent_ns=sent_ns,
            code=code,
            uid=uid,
            rv=rv,
            error=error,
        )
