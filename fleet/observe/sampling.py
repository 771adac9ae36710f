"""The driver's side of the sampler: starts it, gives it orders, records what it answers."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Self

import msgspec
import orjson

from fleet.observe.beside import Beside
from fleet.observe.recorder import Recorder
from fleet.observe.sampler import Opening
from fleet.results.events import decode
from fleet.spec.fleet_file import FleetFile


class Sampling:
    """Use as `async with`. When the sampler dies, that is told once and nothing is sampled any more."""

    def __init__(self, fleet: FleetFile, recorder: Recorder, *, everybody: bool = False) -> None:
        """`everybody`: scrape every program that tells of itself, for a run that looks for what grows."""
        self._recorder = recorder
        opening = Opening(fleet=fleet, everybody=everybody)
        self._sampler = Beside("fleet.observe.sampler", opening.model_dump_json().encode(), self._ended)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self._sampler.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        await self._sampler.__aexit__(kind, error, trace)

    async def sample(self) -> None:
        """Weigh every program and scrape every page, once, now."""
        for line in await self._sampler.order("sample"):
            with contextlib.suppress(msgspec.DecodeError):
                self._recorder.record(decode(line))

    async def busy(self, seconds: float) -> str:
        """Which program works, looking twice `seconds` apart (see `metrics.Scraper.busy`); empty when none does."""
        lines = await self._sampler.order(f"busy {seconds:.3f}")
        return str(orjson.loads(lines[0])) if lines else ""

    def _ended(self) -> None:
        self._recorder.anomaly("metrics", "the sampler ended: no more programs are weighed and no metrics read")
