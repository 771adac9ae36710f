"""Plays the steps of one trial: an open loop per action, groups of objects, waits for effects."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.errors import UsageError
from fleet.experiment import open_loop
from fleet.experiment.open_loop import Due
from fleet.experiment.routes import Route
from fleet.experiment.session import Session
from fleet.experiment.watches import Watches
from fleet.experiments.play import reading
from fleet.experiments.play.actions.action import Effect, Item
from fleet.experiments.play.actions.registry import ACTIONS
from fleet.experiments.play.spec import CLOSED, Play, Step, sized
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.model.load_shape import LoadShape
from fleet.observe.marks import Mark, Object
from fleet.workload.content import Content, Place
from fleet.workload.pacing import expected_count, schedule

Act = Callable[[int], Awaitable[object]]


class Index:
    """The uid of each object of the run, by where it is."""

    def __init__(self) -> None:
        self._uids: dict[tuple[str, str, str], str] = {}

    def reader(self, resource: Resource) -> Callable[[str, Object], Iterator[Mark]]:
        """For a watch of that resource."""

        def read(wec: str, item: Object) -> Iterator[Mark]:
            self._uids[wec, str(resource), item["metadata"]["name"]] = item["metadata"]["uid"]
            return reading.marks(resource, item)

        return read

    def uid(self, item: Item) -> str:
        """Empty when it was not seen yet."""
        return self._uids.get((item.route.wec, str(item.resource), item.name), "")


@dataclass
class Player:
    """Of one trial."""

    session: Session
    trial: str
    routes: Sequence[Route]
    contents: Mapping[str, Content]
    """By the name of the group."""
    watches: Watches
    index: Index
    groups: dict[str, list[Item]] = field(default_factory=dict)
    made: int = 0
    last_id: int = 0

    @property
    def spec(self) -> Play:
        """Of the run."""
        spec: Play = self.session.spec
        return spec

    async def play(self, steps: Sequence[Step], path: str = "") -> None:
        """All of them in turn. `path` seeds what is drawn: the same place gives the same draws."""
        for number, step in enumerate(steps):
            await self._step(step, f"{path}/{number}")

    async def _step(self, step: Step, path: str) -> None:
        if step.parallel:
            try:
                async with asyncio.TaskGroup() as group:
                    for number, inner in enumerate(step.parallel):
                        group.create_task(self._step(inner, f"{path}/{number}"))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from errors
        elif step.series:
            await self.play(step.series, path)
        elif step.repeat is not None:
            for turn in range(step.repeat.times):
                await self.play(step.repeat.steps, f"{path}/r{turn}")
        elif step.pause is not None:
            await asyncio.sleep(step.pause * self.spec.size)
        elif step.create is not None and step.name is not None:
            await self._create(step, step.name, path)
        else:
            await self._aimed(step, path)

    async def _create(self, step: Step, group: str, path: str) -> None:
        assert step.create is not None  # noqa: S101 - the caller looked
        content = self.contents[group]
        copies = [self._copy(content, group) for _ in range(sized(step.create.objects, self.spec.size))]
        self.groups[group] = [item for items in copies for item in items]
        effects: list[tuple[Item, str]] = []

        def act(items: Sequence[Item]) -> Act:
            async def send(due_ns: int) -> None:
                for item in items:
                    call = _post(item)
                    if await self._request("create", item, due_ns, call):
                        effects.append((item, reading.READY))
                    else:
                        item.alive = False

            return send

        await self._loop(step, [act(items) for items in copies], path)
        await self._over(step, group, effects)

    async def _aimed(self, step: Step, path: str) -> None:
        assert step.aimed is not None  # noqa: S101 - a step is one of its forms
        word, given = step.aimed
        action = ACTIONS[word]
        targets = [item for item in self.groups.get(given.of, []) if item.alive and action.fits(item)]
        if not targets:
            raise UsageError(f"steps: {word} of {given.of!r}: no object of it is there that can be changed so")
        chance = random.Random(f"{self.spec.seed}/{self.trial}/{path}")  # noqa: S311 - reproducible, not a secret
        chance.shuffle(targets)
        count = len(targets) if action.effect == "deleted" else self._count(step, len(targets))
        if step.count is not None:
            count = min(count, sized(step.count, self.spec.size)) if action.effect == "deleted" else count
        effects: list[tuple[Item, str]] = []

        def act(item: Item) -> Act:
            async def send(due_ns: int) -> None:
                due = self._unique(due_ns)
                if action.effect == "deleted":
                    item.alive = False
                call = lambda: action.send(item, given, str(due), chance)  # noqa: E731
                if await self._request(action.op, item, due, call):
                    effects.append((item, _mark(action.effect, str(due))))

            return send

        await self._loop(step, [act(targets[number % len(targets)]) for number in range(count)], path)
        await self._over(step, given.of, effects)

    def _count(self, step: Step, targets: int) -> int:
        if step.duration is not None:
            return expected_count(step.load or CLOSED, step.duration * self.spec.size)
        return sized(step.count, self.spec.size) if step.count is not None else targets

    async def _loop(self, step: Step, acts: Sequence[Act], path: str) -> None:
        shape: LoadShape = step.load or CLOSED
        moments = schedule(shape, len(acts), seed=f"{self.spec.seed}/{self.trial}/{path}")
        if moments.parallel is not None:
            await each(acts, lambda act: act(time.monotonic_ns()), at_once=moments.parallel)
            return
        longest = float("inf") if step.duration is None else step.duration * self.spec.size
        due = [Due(at, act) for at, act in zip(moments.offsets, acts, strict=True) if at <= longest]
        await open_loop.run(due, time.monotonic_ns())

    async def _over(self, step: Step, group: str, effects: Sequence[tuple[Item, str]]) -> None:
        """Wait for the effects, if the step does. One that a later change of its object took over is not waited for."""
        if step.wait == "answer":
            return
        pending = list(dict(effects).items())  # the newest of each object
        total = len(pending)

        def true() -> bool:
            nonlocal pending
            pending = [(item, mark) for item, mark in pending if not self._has(item, mark)]
            self.session.progress.marks(total - len(pending), total)
            return not pending

        seconds = self.spec.timeouts.object
        if not await self.session.recorder.until(true, timeout=seconds):
            said = f"{len(pending)} of {total} actions on {group} had no effect within {seconds:g} s"
            self.session.recorder.anomaly("unfinished", said, trial=self.trial)

    def _has(self, item: Item, mark: str) -> bool:
        marks = self.watches.marks(item.route.wec, item.resource, self.index.uid(item))
        # Who deletes an object ends all that was going on with it.
        return mark in marks or "deleted" in marks

    def _copy(self, content: Content, group: str) -> list[Item]:
        route = self.routes[self.made % len(self.routes)]
        names = self.session.names
        name = f"{self.trial}-{group}-{self.made:06d}"
        self.made += 1
        place = Place(name=name, namespace=names.namespace, op=name, copy=self.made)
        labels = names.labels(trial=self.trial)
        wholes = [(body, _whole(body.manifest, body.name, names.namespace, labels)) for body in content.bodies(place)]
        return [Item(body.resource, body.name, route, route.write(body.resource, whole)) for body, whole in wholes]

    def _unique(self, due_ns: int) -> int:
        """A moment no other action of the trial has: it is the action's id."""
        self.last_id = max(self.last_id + 1, due_ns)
        return self.last_id

    async def _request(self, op: str, item: Item, due_ns: int, call: Callable[[], Awaitable[object]]) -> bool:
        return await self.session.request(
            self.trial, op, item.route.wec, call, str(item.resource), item.name, self.session.names.namespace,
            due_ns=due_ns,
        )  # fmt: skip


def _post(item: Item) -> Callable[[], Awaitable[object]]:
    write = item.write
    return lambda: item.route.client.create(write.resource, write.body, write.namespace)


def _whole(manifest: Mapping[str, object], name: str, namespace: str, labels: Mapping[str, str]) -> dict[str, object]:
    """With its name, namespace and the run's labels."""
    own = manifest.get("metadata")
    meta = dict(own) if isinstance(own, Mapping) else {}
    whole = {**meta, "name": name, "namespace": namespace, "labels": {**(meta.get("labels") or {}), **labels}}
    return {**manifest, "metadata": whole}


def _mark(effect: Effect, action: str) -> str:
    match effect:
        case "seen":
            return reading.seen(action)
        case "ready":
            return reading.done(action)
    return "deleted"
