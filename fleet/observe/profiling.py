"""The driver's side of the profiler: rounds of profiles while a run goes on, and one more at its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from fleet.model.experiment_file import Profiles
from fleet.model.fleet_file import FleetFile
from fleet.observe.helper_process import Beside, here
from fleet.observe.profiler import Opening
from fleet.observe.recorder import Recorder
from fleet.results.events import ProfileTaken, decode

LAST_SECONDS = 60.0
"""How long the end of a run waits for its last round."""


class Profiling:
    """Use as `async with`; does nothing when the spec does not request profiles.

    A program that did not answer is reported once as an anomaly; its later answers still count.
    """

    def __init__(self, fleet: FleetFile, spec: Profiles, run: Path, recorder: Recorder) -> None:
        self._spec = spec
        self._recorder = recorder
        self._complained: set[tuple[str, str]] = set()
        self._task: asyncio.Task[None] | None = None
        opening = Opening(fleet=fleet, profiles=spec, folder=str(run))
        self._profiler = Beside(here("fleet.observe.profiler"), opening.model_dump_json().encode(), self._ended)

    async def __aenter__(self) -> Self:
        """Start the profiler and its rounds."""
        if self._spec.enabled:
            await self._profiler.__aenter__()
            self._task = asyncio.create_task(self._rounds())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the last round, unless the run ends in an error, and end the profiler."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            if error is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_SECONDS + self._spec.seconds):
                        await self.take()
        finally:
            await self._profiler.__aexit__(kind, error, trace)

    async def take(self) -> None:
        """One round: every kind of every program."""
        for line in await self._profiler.order("take"):
            with contextlib.suppress(msgspec.DecodeError):
                self._record(decode(line))

    def _record(self, event: object) -> None:
        if not isinstance(event, ProfileTaken):
            return
        self._recorder.record(event)
        if event.error and (event.program, event.kind) not in self._complained:
            self._complained.add((event.program, event.kind))
            text = f"{event.program}: no {event.kind} profile: {event.error}"
            self._recorder.anomaly("profile", text, cluster=event.cluster)

    async def _rounds(self) -> None:
        due = time.monotonic()
        while True:
            await self.take()
            due = max(due + self._spec.interval, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _ended(self) -> None:
        self._recorder.anomaly("profile", "the profiler ended: no more profiles are taken")
