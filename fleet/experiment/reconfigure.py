"""Gives the fleet other client limits and links between the points of a run, and its own back when the run ends."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from fleet.experiment.session import Session
from fleet.spec.fleet_file import ClientLimits
from fleet.spec.link import Link

STEP = "reconfigure"


class Reconfigure(Protocol):
    """Changes the fleet: the command line's does it with `fleet up`."""

    async def __call__(self, limits: Mapping[str, float], link: Link | None) -> None:
        """Returns when the fleet runs with these limits (names of ClientLimits) and every link like this one.

        Without `link` each machine has its own again. FleetError when it cannot be.
        """


class Refitted:
    """Use as `async with`: at its end the fleet has its own limits again, whatever happened."""

    def __init__(self, session: Session, reconfigure: Reconfigure | None, own: ClientLimits) -> None:
        self._session = session
        self._reconfigure = reconfigure
        self._own: Mapping[str, float] = own.model_dump()
        self._now = dict(self._own)
        self._link: Link | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.have({})

    async def have(self, limits: Mapping[str, float], link: Link | None = None) -> None:
        """The fleet's own limits and links but for these; nothing is done when it has them already."""
        wanted = {**self._own, **limits}
        if (wanted == self._now and link == self._link) or self._reconfigure is None:
            return
        told = [f"{name}={value:g}" for name, value in sorted(wanted.items()) if self._now[name] != value]
        told += [f"links with {link}" if link is not None else "its own links"] if link != self._link else []
        self._session.progress.note(f"giving the fleet {', '.join(told)}")
        self._now, self._link = wanted, link  # also when it fails half-way: the end must put it right
        async with self._session.step(STEP):
            await self._reconfigure(wanted, link)
