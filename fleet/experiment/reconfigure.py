"""Gives the fleet other client limits between the points of a run, and its own ones back when the run ends."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from fleet.experiment.session import Session
from fleet.spec.fleet_file import ClientLimits

STEP = "reconfigure"


class Reconfigure(Protocol):
    """Changes the fleet: the command line's does it with `fleet up`."""

    async def __call__(self, limits: Mapping[str, float]) -> None:
        """Returns when the fleet runs with these limits (names of ClientLimits). FleetError when it cannot be."""


class Refitted:
    """Use as `async with`: at its end the fleet has its own limits again, whatever happened."""

    def __init__(self, session: Session, reconfigure: Reconfigure | None, own: ClientLimits) -> None:
        self._session = session
        self._reconfigure = reconfigure
        self._own: Mapping[str, float] = own.model_dump()
        self._now = dict(self._own)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.have({})

    async def have(self, limits: Mapping[str, float]) -> None:
        """The fleet's own limits but for these; nothing is done when it has them already."""
        wanted = {**self._own, **limits}
        if wanted == self._now or self._reconfigure is None:
            return
        changed = {name: value for name, value in wanted.items() if self._now[name] != value}
        self._session.progress.note(f"giving the fleet {', '.join(f'{n}={v:g}' for n, v in sorted(changed.items()))}")
        self._now = wanted  # also when it fails half-way: the end must put it right
        async with self._session.step(STEP):
            await self._reconfigure(wanted)
