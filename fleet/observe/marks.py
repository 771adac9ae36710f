"""Watches one resource of one cluster and writes down when each object first reaches each mark of an experiment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.reflector import Reflector, WatchEvent
from fleet.kube.resources import Resource
from fleet.model.stage import READY_AGAIN, UNREADY
from fleet.observe.gaps import Gaps
from fleet.observe.outages import Outages
from fleet.observe.recorder import Recorder
from fleet.results.events import MarkSeen

Object = Mapping[str, Any]
Mark = str | tuple[str, Any]
"""A mark, or one with small data alongside it."""
CREATED, DELETED = "created", "deleted"
"""Marks that every object has: when it was first seen, when its end was."""


class Health:
    """The condition Ready of objects over their versions: yields `UNREADY` and `READY_AGAIN`. One per watch."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self._lost: set[str] = set()

    def of(self, item: Object) -> Iterator[str]:
        """The marks that this version has reached; none of one that is being deleted."""
        meta = item["metadata"]
        uid = str(meta.get("uid"))
        if meta.get("deletionTimestamp"):
            return
        if condition(item, "Ready"):
            if uid in self._lost:
                yield READY_AGAIN
            self._ready.add(uid)
        elif uid in self._ready:
            self._lost.add(uid)
            yield UNREADY


@dataclass(slots=True)
class Marked:
    """One object, by uid."""

    namespace: str
    name: str
    trial: str
    marks: dict[str, int] = field(default_factory=dict)
    """The driver's nanoseconds of the receipt."""


class MarkWatch:
    """Use as `async with`: inside it the watch is synced and stays up. A watch that ends for good is an anomaly; a
    cluster that does not answer any more is reported as down.

    `read` names the marks that this version of an object has reached, in their order; it must not raise. `created` and
    `deleted` come by themselves. An object belongs to the trial under which it was first seen: `trial`, which may be
    set again while the watch goes on, or what `trial_of` says of it.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        read: Callable[[Object], Iterable[Mark]],
        recorder: Recorder,
        *,
        trial: str = "",
        trial_of: Callable[[Object], str] | None = None,
        namespace: str | None = None,
        selector: str | None = None,
        sync_seconds: float = 60.0,
    ) -> None:
        """DeadlineError at its begin when nothing could be listed within `sync_seconds`."""
        self.trial = trial
        self.objects: dict[str, Marked] = {}
        """By uid; those that are gone too."""
        self.counts: dict[tuple[str, str], int] = {}
        """How many objects reached a mark, by trial and mark."""
        self._read = read
        self._recorder = recorder
        self._trial_of = trial_of
        self._resource = str(resource)
        self._sync_seconds = sync_seconds
        gaps = Gaps(recorder)
        self.reflector = Reflector(
            client,
            resource,
            self._event,
            on_gap=gaps.gap,
            on_reconnect=gaps.reconnect,
            namespace=namespace,
            label_selector=selector,
        )
        self._outages = Outages([self.reflector], {client.cluster: client}, recorder)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._run())]
        try:
            await self.reflector.wait_synced(self._sync_seconds)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._tasks.append(asyncio.create_task(self._outages.look()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def count(self, mark: str, trial: str | None = None) -> int:
        """How many objects of a trial (default: of `trial`) have reached a mark so far."""
        return self.counts.get((self.trial if trial is None else trial, mark), 0)

    async def until(self, true: Callable[[], bool], *, timeout: float) -> bool:  # noqa: ASYNC109 - False is an answer
        """Wait until `true()`, looking again after lines arrived; False when `timeout` seconds passed first."""
        return await self._recorder.until(true, timeout=timeout)

    async def reached(
        self,
        mark: str,
        count: int,
        *,
        timeout: float,  # noqa: ASYNC109 - False is an answer
        progress: Callable[[int, int], None] | None = None,
    ) -> bool:
        """Wait until so many objects of `trial` have reached a mark."""

        def true() -> bool:
            there = self.count(mark)
            if progress is not None:
                progress(there, count)
            return there >= count

        return await self.until(true, timeout=timeout)

    async def _run(self) -> None:
        try:
            await self.reflector.run()
        except Exception as error:  # noqa: BLE001 - whatever it was: nobody else would report it
            what = str(error) if isinstance(error, FleetError) else f"{type(error).__name__}: {error}"
            text = f"the watch of {self._resource} ended for good: {what}"
            self._recorder.anomaly("watch-lost", text, cluster=self.reflector.cluster)

    def _event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        uid = str(meta["uid"])
        known = self.objects.get(uid)
        if known is None:
            trial = self.trial if self._trial_of is None else self._trial_of(event.object)
            known = self.objects[uid] = Marked(str(meta.get("namespace", "")), str(meta["name"]), trial)
            self._mark(event, uid, known, CREATED, None)
        for mark in self._read(event.object):
            name, data = mark if isinstance(mark, tuple) else (mark, None)
            if name not in known.marks:
                self._mark(event, uid, known, name, data)
        if event.type == "DELETED" and DELETED not in known.marks:
            self._mark(event, uid, known, DELETED, None)

    def _mark(self, event: WatchEvent, uid: str, known: Marked, mark: str, data: Any) -> None:
        known.marks[mark] = event.mono_ns
        key = (known.trial, mark)
        self.counts[key] = self.counts.get(key, 0) + 1
        meta = event.object["metadata"]
        self._recorder.record(
            MarkSeen(
                ns=event.mono_ns,
                wall=event.wall_ns,
                cluster=event.cluster,
                type=event.type,
                uid=uid,
                rv=str(meta.get("resourceVersion", "")),
                listed=event.listed,
                gap=event.gap,
                trial=known.trial,
                resource=self._resource,
                namespace=known.namespace,
                name=known.name,
                mark=mark,
                data=data,
                server=str(meta.get("creationTimestamp") or "") if mark == CREATED else "",
            )
        )
