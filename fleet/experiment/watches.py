"""The mark watches of several WECs as one: some resources of the run's namespace in each, and counts over all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from fleet.experiment.session import Session
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.model.pod_marks import ENDED, ENTRY, RUNNING, SCHEDULED, TERMINATING
from fleet.model.run_names import ENTRY_ANNOTATION, TRIAL_LABEL
from fleet.observe.marks import Mark, MarkWatch, Object

FINAL = ("Succeeded", "Failed")
Reader = Callable[[str, Object], Iterator[Mark]]
"""Gets the name of the cluster and a version of an object, right after it was received; names the marks it reached."""


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


def labelled(
    session: Session,
    client: KubeClient,
    resource: Resource,
    read: Callable[[Object], Iterable[Mark]],
    *,
    namespace: str | None = None,
) -> MarkWatch:
    """The watch of one resource in one cluster: the run's objects, each of the trial that its label names."""
    made = MarkWatch(
        client,
        resource,
        read,
        session.recorder,
        trial_of=_by_label,
        namespace=namespace,
        selector=session.names.selector(),
    )
    session.reflectors.append(made.reflector)
    return made


class Watches:
    """Use as `async with`: inside it all of them are synced and stay up."""

    def __init__(self, session: Session, wecs: Sequence[str], readers: Mapping[Resource, Reader]) -> None:
        self._session = session
        self._stack = AsyncExitStack()
        self._watches = {
            (wec, str(resource)): MarkWatch(
                session.spaces.wecs[wec], resource, _of(wec, read), session.recorder, namespace=session.names.namespace
            )
            for wec in wecs
            for resource, read in readers.items()
        }

    async def __aenter__(self) -> Self:
        for watch in self._watches.values():
            self._session.reflectors.append(watch.reflector)
            await self._stack.enter_async_context(watch)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def begin(self, trial: str) -> None:
        """What comes now belongs to that trial."""
        for watch in self._watches.values():
            watch.trial = trial

    def count(self, resource: Resource, mark: str) -> int:
        """Objects of the trial that reached a mark, in all WECs."""
        return sum(watch.count(mark) for (_, name), watch in self._watches.items() if name == str(resource))

    def marks(self, wec: str, resource: Resource, uid: str) -> Mapping[str, int]:
        """Of one object, the receipt of each mark (monotonic ns)."""
        known = self._watches[wec, str(resource)].objects.get(uid)
        return {} if known is None else known.marks

    def between(self, resource: Resource, first: str, last: str) -> list[float]:
        """Seconds from one mark to another of each object of the trial that has both, in all WECs."""
        return [
            (one.marks[last] - one.marks[first]) / 1e9
            for (_, name), watch in self._watches.items()
            if name == str(resource)
            for one in watch.objects.values()
            if one.trial == watch.trial and first in one.marks and last in one.marks
        ]

    async def reached(self, resource: Resource, mark: str, count: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - an answer
        """Wait until so many objects of the trial reached a mark."""

        def true() -> bool:
            there = self.count(resource, mark)
            self._session.progress.marks(there, count)
            return there >= count

        return await self._session.recorder.until(true, timeout=timeout)


def _by_label(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get(TRIAL_LABEL) or "")


def _of(wec: str, read: Reader) -> Callable[[Object], Iterator[Mark]]:
    return lambda item: read(wec, item)
