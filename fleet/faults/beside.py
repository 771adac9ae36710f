"""Carries out `during` alongside the load of each trial, and heals everything at the end, whatever ended it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import orjson

from fleet.errors import FleetError, UsageError
from fleet.faults import notes
from fleet.faults.fault import Aim
from fleet.faults.helper import Opening, Order, Verb
from fleet.faults.registry import Planned
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile, Machine
from fleet.observe.helper_process import Beside, Start, here
from fleet.remote.pipe import over_ssh
from fleet.results.events import FaultHealed, FaultInjected, Line

MODULE = "fleet.faults.helper"
ORDER_SECONDS = 600.0
"""For one order: control planes that are started again may need minutes on a machine that is full."""
Reach = Callable[[Machine, Sequence[str]], Start]
_Place = tuple[str, int]
"""Trial and the step's number."""


class Sink(Protocol):
    """Where lines go: the run's recorder."""

    def record(self, line: Line, /) -> None:
        """Take one line."""

    def anomaly(self, what: str, text: str, *, trial: str = "", cluster: str = "") -> None:
        """Something that the reader of the run must know, now."""


class Faults:
    """Use as `async with` around all trials; `prepare`, `begin` and `end` around the measured steps of each."""

    def __init__(self, fleet: FleetFile, planned: Sequence[Planned], sink: Sink, *, reach: Reach = over_ssh) -> None:
        """`planned` by `registry.planned`; `reach` starts a program on another machine."""
        self._planned = tuple(planned)
        self._sink = sink
        self._helpers = _helpers(fleet, {aim.machine for one in planned for aim in one.aims}, reach)
        self._tasks: list[asyncio.Task[None]] = []
        self._measured = asyncio.Event()
        self._open: dict[_Place, Planned] = {}

    async def __aenter__(self) -> Self:
        """Start the helpers, so that a fault begins at its moment and not when a program has been loaded."""
        await asyncio.gather(*(helper.__aenter__() for helper in self._helpers.values()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Heal what is left; a cancellation that comes meanwhile waits."""
        await _to_the_end(asyncio.ensure_future(self._leave()))

    async def prepare(self, trial: str, *, counted: bool) -> None:
        """What must be done before the trial's load, such as a backup. FleetError when that cannot be done."""
        for number, one in self._of(trial, counted=counted):
            if one.prepares:
                self._open[trial, number] = one
                failed = await self._order("prepare", one.aims)
                if failed:
                    raise FleetError(f"{one.step} could not be prepared: {failed}")

    def begin(self, trial: str, *, counted: bool) -> None:
        """The trial's load begins now."""
        self._measured.clear()
        now = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._carry_out((trial, number), one, now + one.step.at))
            for number, one in self._of(trial, counted=counted)
        ]

    async def end(self) -> None:
        """The trial's last mark was seen, or its time is up: returns when every fault of it was healed."""
        self._measured.set()
        tasks, self._tasks = self._tasks, []
        try:
            await asyncio.gather(*tasks)
        finally:
            self._tasks += [task for task in tasks if not task.done()]

    def _of(self, trial: str, *, counted: bool) -> list[tuple[int, Planned]]:
        return [(n, one) for n, one in enumerate(self._planned) if one.step.applies(trial, counted=counted)]

    async def _carry_out(self, place: _Place, one: Planned, due: float) -> None:
        trial, number = place
        if await self._measured_within(due - time.monotonic()):
            self._skipped(trial, one.step)
            if place in self._open:  # what was prepared is taken back
                await self._heal(place, told=False)
            return
        self._open[place] = one
        self._sink.record(_injected(trial, number, one))
        failed = await self._order("inject", one.aims)
        if failed:
            self._sink.anomaly("fault-failed", f"{one.step} could not be done: {failed}", trial=trial)
        elif one.lasting is not None:
            await asyncio.sleep(one.lasting)
        else:
            await self._measured.wait()
        await self._heal(place, told=True)

    def _skipped(self, trial: str, step: DuringStep) -> None:
        text = f"{step} was not done: the trial was over before {step.at:g} s. Give `at` an earlier moment"
        self._sink.anomaly("fault-skipped", text, trial=trial)

    async def _measured_within(self, seconds: float) -> bool:
        """Whether the trial is over before that time has passed; what is due already is done in any case."""
        if seconds <= 0:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._measured.wait()
        return self._measured.is_set()

    async def _heal(self, place: _Place, *, told: bool) -> None:
        trial, number = place
        one = self._open[place]
        failed = await self._order("heal", one.aims)
        del self._open[place]
        if failed:
            text = f"{one.step} could not be undone: {failed}. Repair it with `{one.aims[0].repair}`"
            self._sink.anomaly("fault-not-healed", text, trial=trial)
        elif told:
            stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
            step = one.step
            self._sink.record(FaultHealed(**stamps, trial=trial, number=number, action=step.action, target=step.target))

    async def _order(self, verb: Verb, aims: Sequence[Aim]) -> str:
        """Empty when it was done on every machine, else why not."""
        answers = await asyncio.gather(*(_ordered(self._helpers[aim.machine], verb, aim) for aim in aims))
        return "; ".join(answer for answer in answers if answer)

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for place in reversed(tuple(self._open)):
            await self._heal(place, told=True)
        await asyncio.gather(*(helper.__aexit__(None, None, None) for helper in self._helpers.values()))
        for result in results:
            if isinstance(result, Exception):
                raise result


async def check(fleet: FleetFile, planned: Sequence[Planned], *, reach: Reach = over_ssh) -> None:
    """Before a run: undo what a run that was killed has left, and ask every machine whether it can do its part.

    UsageError with all reasons of machines that cannot; FleetError for what cannot be undone.
    """
    aims = [aim for one in planned for aim in one.aims]
    left = {m.name for m in fleet.machines if m.connection == "ssh" or notes.pending(_root(m))}
    helpers = _helpers(fleet, left | {aim.machine for aim in aims}, reach)
    await asyncio.gather(*(helper.__aenter__() for helper in helpers.values()))
    try:
        answers = {name: await _ordered(helpers[name], "repair") for name in sorted(left)}
        # One that cannot be reached and has no part in this: whether it is missed is for others to say.
        needed = {aim.machine for aim in aims}
        broken = [why for name, why in answers.items() if why and (name in needed or not helpers[name].lost)]
        if broken:
            raise FleetError("; ".join(broken))
        refused = [
            f"{aim.action} of {aim.target} cannot be done on machine {aim.machine}: {why}"
            for aim in aims
            if (why := await _ordered(helpers[aim.machine], "refuse", aim))
        ]
    finally:
        await asyncio.gather(*(helper.__aexit__(None, None, None) for helper in helpers.values()))
    if refused:
        raise UsageError("during: " + "; ".join(dict.fromkeys(refused)))


async def _ordered(helper: Beside, verb: Verb, aim: Aim | None = None) -> str:
    """Empty when it was done, else why not. A helper that is gone is started once more, to heal."""
    order = Order(verb=verb, aim=aim).model_dump_json()
    try:
        async with asyncio.timeout(ORDER_SECONDS):
            lines = await helper.order(order)
            if not lines and verb == "heal":
                await helper.again()
                lines = await helper.order(order)
    except TimeoutError:
        return f"no answer within {ORDER_SECONDS:g} s"
    where = f" on machine {aim.machine}" if aim is not None else ""
    return str(orjson.loads(lines[0])) if lines else f"the helper{where} ended"


def _helpers(fleet: FleetFile, names: set[str], reach: Reach) -> Mapping[str, Beside]:
    return {m.name: Beside(*_start(m, reach), _unheard) for m in fleet.machines if m.name in names}


def _injected(trial: str, number: int, one: Planned) -> FaultInjected:
    return FaultInjected(
        ns=time.monotonic_ns(),
        wall=time.time_ns(),
        trial=trial,
        number=number,
        action=one.step.action,
        target=one.step.target,
        machine=", ".join(aim.machine for aim in one.aims),
        clusters=sorted({name for aim in one.aims for name in aim.clusters}),
        programs=sorted({name for aim in one.aims for name in aim.programs}),
        held=sorted({name for aim in one.aims for name in aim.held}),
        rewinds=any(aim.rewinds for aim in one.aims),
    )


def _root(machine: Machine) -> Path:
    return Path(machine.state_dir)


def _start(machine: Machine, reach: Reach) -> tuple[Start, bytes]:
    opening = Opening(root=machine.state_dir).model_dump_json().encode()
    if machine.connection == "ssh":
        return reach(machine, [machine.python, "-m", MODULE]), opening
    return here(MODULE), opening


def _unheard() -> None:
    """Whoever waits for an answer of the helper says that it ended."""


async def _to_the_end(task: asyncio.Future[None]) -> None:
    """Wait for it however often this is cancelled; a cancellation is raised afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
