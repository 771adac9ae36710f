"""The driver's side of the samplers, one per machine: starts them, gives them orders, records what they answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec
import orjson

from fleet.model.fleet_file import FleetFile, Machine
from fleet.model.manager_record import ManagerRecord
from fleet.observe.helper_process import Beside, Start, here
from fleet.observe.recorder import Recorder
from fleet.observe.sampler import Opening
from fleet.remote.pipe import over_ssh
from fleet.results.events import decode

MODULE = "fleet.observe.sampler"
Reach = Callable[[Machine, Sequence[str]], Start]
ANSWER_SECONDS = 10.0
"""A machine whose sampler takes longer is left out this time, so that the others are sampled at their interval."""
HERE_SECONDS = 30.0
"""The same for the driver's own, which reads the API servers' pages of a busy machine; that it was late is recorded."""
AGAIN_SECONDS = 15.0
"""How long a machine that was lost is left alone before it is tried again."""


def part_of(fleet: FleetFile, machine: Machine) -> FleetFile:
    """The fleet as that machine sees it: its own programs, and no control planes (the driver's machine reads those)."""
    return fleet.model_copy(
        update={
            "machines": [machine.model_copy(update={"connection": "local", "key_file": "", "known_hosts": ""})],
            "clusters": [],
            "components": [component for component in fleet.components if component.machine == machine.name],
        }
    )


class Sampling:
    """Use as `async with`. When a sampler dies, that is reported once; one on another machine is started again
    later."""

    def __init__(
        self,
        fleet: FleetFile,
        recorder: Recorder,
        manager: ManagerRecord,
        *,
        everybody: bool = False,
        reach: Reach = over_ssh,
    ) -> None:
        """`everybody`: scrape every program that has metrics, for a run that looks for what grows. `reach` gives what
        starts a program on another machine."""
        self._recorder = recorder
        self._everybody = everybody
        self._reach = reach
        self._besides: dict[str, int] = {}
        self._begin(fleet, manager)

    def _begin(self, fleet: FleetFile, manager: ManagerRecord) -> None:
        """The samplers of that fleet, not started yet."""

        def opening(part: FleetFile, driver: int = 0) -> bytes:
            made = Opening(fleet=part, manager=manager, everybody=self._everybody, driver=driver)
            return made.model_dump_json().encode()

        told = self._told("the sampler ended: no more programs are measured and")
        self._here = Beside(here(MODULE), opening(fleet, os.getpid()), told)
        self._away: dict[str, Beside] = {}
        self._retry: dict[str, float] = {}
        for machine in fleet.machines:
            if machine.connection == "ssh":
                told = self._told(f"machine {machine.name} was lost: until it is back no program is measured there and")
                start = self._reach(machine, [machine.python, "-m", MODULE])
                self._away[machine.name] = Beside(start, opening(part_of(fleet, machine)), told)

    async def __aenter__(self) -> Self:
        """Start them."""
        await asyncio.gather(*(one.__aenter__() for one in (self._here, *self._away.values())))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them."""
        await asyncio.gather(*(one.__aexit__(kind, error, trace) for one in (self._here, *self._away.values())))

    async def change(self, fleet: FleetFile, manager: ManagerRecord) -> None:
        """From now on the programs of that fleet are measured, as it was changed between two trials."""
        await self.__aexit__(None, None, None)
        self._begin(fleet, manager)
        await self.__aenter__()
        if self._besides:
            await self._tell_besides()

    async def add(self, program: str, pid: int) -> None:
        """Measure a program of this machine too that is not the fleet's, such as `driver/loader`, until it is dropped.

        It may end by itself: it is then left out. Its component is its name up to the first dot.
        """
        self._besides[program] = pid
        await self._tell_besides()

    async def drop(self, program: str) -> None:
        """Measure it no more."""
        if self._besides.pop(program, None) is not None:
            await self._tell_besides()

    async def _tell_besides(self) -> None:
        await self._ask_here(f"besides {orjson.dumps(self._besides).decode()}")

    async def sample(self) -> None:
        """Measure every program and scrape every page, once, now.

        What another machine reports is stamped with the driver's clock when it arrives.
        """
        await asyncio.gather(self._sample_here(), *(self._sample_away(name) for name in self._away))

    async def busy(self, seconds: float) -> str:
        """Which program works, looking twice `seconds` apart (see `metrics.Scraper.busy`); empty when none does."""
        order = f"busy {seconds:.3f}"
        asked = [self._ask_here(order, seconds), *(self._ask(name, order, seconds) for name in self._away)]
        answers = [str(orjson.loads(lines[0])) for lines in await asyncio.gather(*asked) if lines]
        return next(filter(None, answers), "")

    async def rest(self, clusters: Sequence[str]) -> None:
        """The manager does not run for these sources from now on, and does for all others: their pages are not read."""
        order = " ".join(("rest", *clusters))
        await asyncio.gather(self._ask_here(order), *(self._ask(name, order) for name in self._away))

    async def _sample_here(self) -> None:
        for line in await self._ask_here("sample"):
            with contextlib.suppress(msgspec.DecodeError):
                self._recorder.record(decode(line))

    async def _sample_away(self, name: str) -> None:
        lines = await self._ask(name, "sample")
        ns, wall = time.monotonic_ns(), time.time_ns()
        for line in lines:
            with contextlib.suppress(msgspec.DecodeError):
                self._recorder.record(msgspec.structs.replace(decode(line), ns=ns, wall=wall))

    async def _ask_here(self, order: str, seconds: float = 0.0) -> list[bytes]:
        """The answer of the driver's own sampler; empty when it ended or is late."""
        try:
            async with asyncio.timeout(seconds + HERE_SECONDS):
                return await self._here.order(order)
        except TimeoutError:
            text = f"the sampler did not answer within {seconds + HERE_SECONDS:g} s: what it was to read is left out"
            self._recorder.anomaly("metrics", text)
            return []

    async def _ask(self, name: str, order: str, seconds: float = 0.0) -> list[bytes]:
        """The answer of another machine; empty when it is lost or late."""
        sampler = self._away[name]
        if sampler.lost and time.monotonic() < self._retry.setdefault(name, time.monotonic() + AGAIN_SECONDS):
            return []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + ANSWER_SECONDS):
                if sampler.lost:
                    del self._retry[name]
                    await sampler.again()
                return await sampler.order(order)
        return []

    def _told(self, what: str) -> Callable[[], None]:
        return lambda: self._recorder.anomaly("metrics", f"{what} no metrics are read")
