"""Carries out `during` beside the load of each trial, and heals everything at the end, whatever ended it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Literal, Protocol, Self

import orjson

from fleet.faults.fault import Aim
from fleet.faults.helper import Opening, Order
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile, Machine
from fleet.observe.helper_process import Beside, Start, here
from fleet.remote.pipe import over_ssh
from fleet.results.events import FaultHealed, FaultInjected, Line

MODULE = "fleet.faults.helper"
ORDER_SECONDS = 300.0
"""For one order: a control plane that is started again may need minutes on a machine that is full."""
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
    """Use as `async with` around all trials; `begin` and `end` around the measured steps of each."""

    def __init__(
        self,
        fleet: FleetFile,
        steps: Sequence[DuringStep],
        aims: Sequence[Aim],
        sink: Sink,
        *,
        reach: Reach = over_ssh,
    ) -> None:
        """`aims` are those of the steps (`registry.aims`); `reach` starts a program on another machine."""
        self._steps = tuple(zip(steps, aims, strict=True))
        self._sink = sink
        self._helpers: Mapping[str, Beside] = {
            machine.name: Beside(*_start(machine, reach), _unheard)
            for machine in fleet.machines
            if any(aim.machine == machine.name for aim in aims)
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._measured = asyncio.Event()
        self._open: dict[_Place, Aim] = {}

    async def __aenter__(self) -> Self:
        """Start the helpers, so that a fault begins at its moment and not when a program has been loaded."""
        await asyncio.gather(*(helper.__aenter__() for helper in self._helpers.values()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Heal what is left; a cancellation that comes meanwhile waits."""
        await _to_the_end(asyncio.ensure_future(self._leave()))

    def begin(self, trial: str, *, counted: bool) -> None:
        """The trial's load begins now."""
        self._measured.clear()
        now = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._carry_out((trial, number), step, aim, now + step.at))
            for number, (step, aim) in enumerate(self._steps)
            if step.applies(trial, counted=counted)
        ]

    async def end(self) -> None:
        """The trial's last mark was seen, or its time is up: returns when every fault of it was healed."""
        self._measured.set()
        tasks, self._tasks = self._tasks, []
        try:
            await asyncio.gather(*tasks)
        finally:
            self._tasks += [task for task in tasks if not task.done()]

    async def _carry_out(self, place: _Place, step: DuringStep, aim: Aim, due: float) -> None:
        trial, number = place
        if await self._measured_within(due - time.monotonic()):
            text = f"{step} was not done: the trial was over before {step.at:g} s. Give `at` an earlier moment"
            self._sink.anomaly("fault-skipped", text, trial=trial)
            return
        self._open[place] = aim
        stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
        self._sink.record(
            FaultInjected(
                **stamps, trial=trial, number=number, action=aim.action, target=aim.target, machine=aim.machine,
                clusters=aim.clusters, programs=aim.programs,
            )
        )  # fmt: skip
        failed = await self._order("inject", aim)
        if failed:
            self._sink.anomaly("fault-failed", f"{step} could not be done: {failed}", trial=trial)
        elif step.lasting is not None:
            await asyncio.sleep(step.lasting)
        else:
            await self._measured.wait()
        await self._heal(place)

    async def _measured_within(self, seconds: float) -> bool:
        """Whether the trial is over before that time has passed; what is due already is done in any case."""
        if seconds <= 0:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._measured.wait()
        return self._measured.is_set()

    async def _heal(self, place: _Place) -> None:
        trial, number = place
        aim = self._open[place]
        failed = await self._order("heal", aim)
        del self._open[place]
        if failed:
            text = f"{aim.action} of {aim.target} could not be undone: {failed}. Repair it with `{aim.repair}`"
            self._sink.anomaly("fault-not-healed", text, trial=trial)
            return
        stamps = {"ns": time.monotonic_ns(), "wall": time.time_ns()}
        self._sink.record(FaultHealed(**stamps, trial=trial, number=number, action=aim.action, target=aim.target))

    async def _order(self, verb: Literal["inject", "heal"], aim: Aim) -> str:
        """Empty when it was done, else why not. A helper that is gone is started once more, to heal."""
        helper = self._helpers[aim.machine]
        order = Order(verb=verb, aim=aim).model_dump_json()
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                lines = await helper.order(order)
                if not lines and verb == "heal":
                    await helper.again()
                    lines = await helper.order(order)
        except TimeoutError:
            return f"no answer within {ORDER_SECONDS:g} s"
        return str(orjson.loads(lines[0])) if lines else f"the helper on machine {aim.machine} ended"

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for place in reversed(tuple(self._open)):
            await self._heal(place)
        await asyncio.gather(*(helper.__aexit__(None, None, None) for helper in self._helpers.values()))
        for result in results:
            if isinstance(result, Exception):
                raise result


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
