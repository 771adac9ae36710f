"""What is sent in one trial, and when: creations, and the ends that no node brings."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fleet.experiment.open_loop import Due
from fleet.experiment.routes import Route
from fleet.experiment.session import Session
from fleet.experiment.sweep import sweep
from fleet.experiments.replay import played
from fleet.experiments.replay.played import Entry, Wishes
from fleet.kube import resources
from fleet.kube.each import AT_ONCE, each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.managers.manager import Write
from fleet.observe.marks import Object

EVICTION = "eviction"


@dataclass
class Loads:
    """Of one trial."""

    session: Session
    trial: str
    speed: float
    routes: Mapping[str, Route]
    """By WEC."""
    entries: Sequence[Entry]
    controllers: bool
    wishes: Wishes

    def __post_init__(self) -> None:
        self._labels = self.session.names.labels(trial=self.trial)
        self._namespace = self.session.names.namespace
        self._waiting = {
            (entry.wec, entry.name): entry
            for entry in self.entries
            if entry.pod.end in ("deleted", "evicted") and entry.pod.life is not None and self._is_bare(entry)
        }
        self._ends: set[asyncio.Task[bool]] = set()

    def before(self) -> list[Callable[[], Awaitable[bool]]]:
        """Creations of what was there before the recording."""
        return [self._creation(entry, 0) for entry in self.entries if entry.pod.before and self._single(entry)]

    def actions(self) -> list[Due]:
        """Everything of the load, ascending by time."""
        found: list[tuple[float, Callable[[int], Awaitable[bool]]]] = []
        for entry in self.entries:
            if self._single(entry):
                if not entry.pod.before:
                    found.append((entry.due, self._due_creation(entry)))
                found += self._known_end(entry)
        if self.controllers:
            for members in self._owned().values():
                found += self._replica_set(members)
        return [Due(offset, act) for offset, act in sorted(found, key=lambda one: one[0])]

    def heard(self, wec: str, pod: Object) -> None:
        """A pod was received: one that runs and whose length is known is deleted after that length."""
        if (pod.get("status") or {}).get("phase") != "Running":
            return
        entry = self._waiting.pop((wec, str(pod["metadata"]["name"])), None)
        if entry is not None and entry.pod.life is not None:
            due_ns = time.monotonic_ns() + round(entry.pod.life / self.speed * 1e9)
            task = asyncio.create_task(self._later(entry, due_ns))
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    def stop(self) -> None:
        """No end comes any more."""
        for task in self._ends:
            task.cancel()

    async def _later(self, entry: Entry, due_ns: int) -> bool:
        await asyncio.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        return await self._end(entry, due_ns)

    def _is_bare(self, entry: Entry) -> bool:
        return not self.controllers or entry.pod.owner is None

    def _single(self, entry: Entry) -> bool:
        """It is one object: a pod, or a Job of its own."""
        return self._is_bare(entry) or entry.batch

    def _owned(self) -> dict[tuple[str, str, str, str], list[Entry]]:
        found: defaultdict[tuple[str, str, str, str], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if not self._single(entry) and entry.pod.owner is not None:
                found[entry.wec, entry.pod.ns, entry.pod.owner.kind, entry.pod.owner.name].append(entry)
        return found

    def _due_creation(self, entry: Entry) -> Callable[[int], Awaitable[bool]]:
        write, resource = self._write(entry)
        call = self._post(entry.wec, write)
        return lambda due_ns: self._request("create", entry, resource, due_ns, call)

    def _creation(self, entry: Entry, due_ns: int) -> Callable[[], Awaitable[bool]]:
        act = self._due_creation(entry)
        return lambda: act(due_ns)

    def _write(self, entry: Entry) -> tuple[Write, Resource]:
        make, resource = (played.bare, resources.PODS) if self._is_bare(entry) else (played.job, resources.JOBS)
        body = make(entry, self._namespace, self._labels, self.speed, self.wishes)
        return self.routes[entry.wec].write(resource, body), resource

    def _known_end(self, entry: Entry) -> Iterator[tuple[float, Callable[[int], Awaitable[bool]]]]:
        """A deletion whose moment the trace has, but not from when on the pod ran."""
        pod = entry.pod
        if pod.end in ("deleted", "evicted") and pod.life is None and pod.lasted is not None and self._is_bare(entry):
            yield entry.due + pod.lasted / self.speed, lambda due_ns: self._end(entry, due_ns)

    async def _end(self, entry: Entry, due_ns: int) -> bool:
        write, resource = self._write(entry)
        client = self.routes[entry.wec].client
        if entry.pod.end == "evicted" and self.routes[entry.wec].policy is None:
            body = {"apiVersion": "policy/v1", "kind": "Eviction",
                    "metadata": {"name": entry.name, "namespace": self._namespace}}  # fmt: skip
            path = resource.path(entry.name, self._namespace, EVICTION)
            evict = lambda: client.request("POST", path, body=body)  # noqa: E731
            return await self._request("evict", entry, resource, due_ns, evict)
        call = lambda: client.delete(write.resource, write.name, write.namespace)  # noqa: E731
        return await self._request("delete", entry, resource, due_ns, call)

    def _replica_set(self, members: Sequence[Entry]) -> Iterator[tuple[float, Callable[[int], Awaitable[bool]]]]:
        """Created with the first pod, then one more replica for each that comes and one less for each that goes."""
        steps = [(entry.due, 1) for entry in members]
        steps += [
            (entry.due + after / self.speed, -1)
            for entry in members
            for after in [entry.pod.ends_after]
            if after is not None
        ]
        steps.sort()
        first, wec = members[0], members[0].wec
        body = played.replica_set(first, self._namespace, self._labels, 1, self.wishes)
        write = self.routes[wec].write(resources.REPLICASETS, body)
        made = self._post(wec, write)
        yield steps[0][0], lambda due: self._request("create", first, resources.REPLICASETS, due, made)
        replicas = 1
        for offset, change in steps[1:]:
            replicas = max(0, replicas + change)
            yield offset, self._scaling(first, write, replicas)

    def _scaling(self, first: Entry, write: Write, replicas: int) -> Callable[[int], Awaitable[bool]]:
        client, patch = self.routes[first.wec].client, {"spec": {"replicas": replicas}}
        call = lambda: client.patch(write.resource, write.name, patch, write.namespace)  # noqa: E731
        return lambda due: self._request("scale", first, resources.REPLICASETS, due, call)

    def _post(self, wec: str, write: Write) -> Callable[[], Awaitable[object]]:
        client = self.routes[wec].client
        body: Mapping[str, Any] = write.body
        return lambda: client.create(write.resource, body, write.namespace)

    async def _request(
        self, op: str, entry: Entry, resource: Resource, due_ns: int, call: Callable[[], Awaitable[object]]
    ) -> bool:
        """The line names the object as its WEC gets it."""
        return await self.session.request(
            self.trial, op, entry.wec, call, str(resource), entry.name, self._namespace, due_ns=due_ns
        )

    async def remove(self) -> None:
        """Delete everything of the trial; what is gone already is fine."""
        direct = [route for route in self.routes.values() if route.policy is None]
        kinds = (resources.JOBS, resources.REPLICASETS, resources.PODS) if self.controllers else (resources.PODS,)

        async def one(entry: Entry) -> None:
            write, _ = self._write(entry)
            with suppress(NotFound):
                await self.routes[entry.wec].client.delete(write.resource, write.name, write.namespace)

        await each(direct, lambda route: sweep(self.session, self.trial, route.client, kinds))
        await each([entry for entry in self.entries if self.routes[entry.wec].policy is not None], one, at_once=AT_ONCE)
