"""Sends objects to their sources at their moments and records every request with its three times."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson

from fleet.errors import KubeError
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import Unreachable, refused_for_good
from fleet.observe.recorder import Recorder
from fleet.results.events import Sent
from fleet.workload.objects import WorkloadObject
from fleet.workload.pacing import Due

ATTEMPTS = 5
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; doubled each time."""
_CREATED = range(200, 300)
_EXISTS = HTTPStatus.CONFLICT


class Sender:
    """Creates objects; each attempt is one request and one `sent` line, also when there was no answer."""

    def __init__(self, sources: Mapping[str, KubeClient], recorder: Recorder, *, pause: float = FIRST_PAUSE) -> None:
        self._sources = sources
        self._recorder = recorder
        self._pause = pause

    async def send(self, writes: Sequence[Due], *, parallel: int | None = None) -> None:
        """All writes; an anomaly for one that the source did not take in any attempt.

        `parallel` None is an open loop: each write leaves when it is due, whatever the answers do. A number is a closed
        one: the writes follow each other with at most so many unanswered.
        """
        # Made beforehand: what it takes to build an object must not delay the next.
        ready = [(due.offset, due.item, orjson.dumps(due.item.write.body)) for due in writes]
        start_ns = time.monotonic_ns()
        if parallel is not None:
            await each(ready, lambda one: self._create(one[1], one[2], start_ns), at_once=parallel)
            return
        try:
            async with asyncio.TaskGroup() as group:
                for offset, item, body in ready:
                    scheduled_ns = start_ns + round(offset * 1e9)
                    # More than once: uvloop counts in whole milliseconds, and wakes up to one too early.
                    while (early := (scheduled_ns - time.monotonic_ns()) / 1e9) > 0:  # noqa: ASYNC110 - time it is
                        await asyncio.sleep(early)
                    group.create_task(self._create(item, body, scheduled_ns))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _create(self, item: WorkloadObject, body: bytes, scheduled_ns: int) -> None:
        pause = self._pause
        for attempt in range(ATTEMPTS):
            sent = await self._once(item, body, scheduled_ns)
            self._recorder.record(sent)
            # A name that is taken after an attempt without an answer: that attempt had arrived.
            if sent.code in _CREATED or (attempt and sent.code == _EXISTS):
                return
            if refused_for_good(sent.code) or attempt + 1 == ATTEMPTS:
                text = f"{item.ref.name}: the source did not take it: {sent.code} {sent.error}".rstrip()
                self._recorder.anomaly("send-failed", text, trial=item.trial, cluster=item.source)
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _once(self, item: WorkloadObject, body: bytes, scheduled_ns: int) -> Sent:
        path = item.write.resource.path(namespace=item.write.namespace)
        sent_ns = time.monotonic_ns()
        code, uid, rv, error = 0, "", "", ""
        received_ns = 0
        try:
            answer = await self._sources[item.source].request("POST", path, body=body, check=False)
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
