"""The pod watches of several WECs as one: marks of every pod of the run's namespace, and counts over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from fleet.experiment.session import Session
from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.model.pod_marks import ENDED, ENTRY, RUNNING, SCHEDULED, TERMINATING
from fleet.model.run_names import ENTRY_ANNOTATION
from fleet.observe.marks import Mark, MarkWatch, Object

FINAL = ("Succeeded", "Failed")


def pod_marks(pod: Object) -> Iterator[Mark]:
    """The marks that this version of a pod has reached."""
    meta, status = pod["metadata"], pod.get("status") or {}
    entry = (meta.get("annotations") or {}).get(ENTRY_ANNOTATION)
    if entry is not None:
        yield ENTRY, entry
    node = (pod.get("spec") or {}).get("nodeName")
    if node:
        yield SCHEDULED, node
    phase = status.get("phase")
    if phase == "Running":
        yield RUNNING
    if meta.get("deletionTimestamp"):
        yield TERMINATING
    elif phase in FINAL:
        codes = [
            one["state"]["terminated"].get("exitCode")
            for one in status.get("containerStatuses") or []
            if (one.get("state") or {}).get("terminated")
        ]
        yield ENDED, next((code for code in codes if code), codes[0] if codes else None)


class PodWatches:
    """Use as `async with`: inside it the pods of the run's namespace are watched in each of the WECs.

    `heard` gets every version of a pod with the name of its cluster, right after it was received.
    """

    def __init__(
        self,
        session: Session,
        wecs: Sequence[str],
        heard: Callable[[str, Object], None] | None = None,
        *,
        more: Sequence[tuple[Resource, Callable[[Object], Iterator[Mark]]]] = (),
    ) -> None:
        """`more`: further resources with their readers."""
        self._watches: list[MarkWatch] = []
        self._stack = AsyncExitStack()
        self._session = session
        for wec in wecs:
            for resource, read in ((resources.PODS, self._reader(wec, heard)), *more):
                self._watches.append(
                    MarkWatch(
                        session.spaces.wecs[wec], resource, read, session.recorder, namespace=session.names.namespace
                    )
                )

    @staticmethod
    def _reader(wec: str, heard: Callable[[str, Object], None] | None) -> Callable[[Object], Iterator[Mark]]:
        def read(pod: Object) -> Iterator[Mark]:
            if heard is not None:
                heard(wec, pod)
            return pod_marks(pod)

        return read

    async def __aenter__(self) -> Self:
        for watch in self._watches:
            self._session.reflectors.append(watch.reflector)
            await self._stack.enter_async_context(watch)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def begin(self, trial: str) -> None:
        """What comes now belongs to that trial."""
        for watch in self._watches:
            watch.trial = trial

    def count(self, mark: str) -> int:
        """Objects of the trial that reached a mark, in all WECs."""
        return sum(watch.count(mark) for watch in self._watches)

    async def reached(self, mark: str, count: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - False is an answer
        """Wait until so many objects of the trial reached a mark."""

        def true() -> bool:
            there = self.count(mark)
            self._session.progress.marks(there, count)
            return there >= count

        return await self._session.recorder.until(true, timeout=timeout)
