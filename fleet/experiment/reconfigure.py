"""Gives the fleet other client limits, links and served WDSes between the points of a run, and its own back at its
end."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from fleet.experiment.session import Session
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link

STEP = "reconfigure"


class Reconfigure(Protocol):
    """Changes the fleet: the command line's does it with `fleet up`."""

    async def __call__(self, limits: Mapping[str, float], link: Link | None, serving: int) -> None:
        """Returns when the fleet runs with these limits (names of ClientLimits), every link like this one, and
        KubeStellar for the first `serving` WDSes.

        Without `link` each machine has its own again. FleetError when it cannot be.
        """


class Refitted:
    """Use as `async with`: at its end the fleet is as it was, whatever happened."""

    def __init__(self, session: Session, reconfigure: Reconfigure | None, fleet: FleetFile) -> None:
        self._session = session
        self._reconfigure = reconfigure
        self._own: Mapping[str, float] = dict(fleet.limits)
        self._now = dict(self._own)
        self._link: Link | None = None
        self._wdses = [cluster.name for cluster in fleet.of_role("wds")]
        self._own_serving = self._serving = len(fleet.served())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.have({})

    async def have(self, limits: Mapping[str, float], link: Link | None = None, serving: int | None = None) -> None:
        """The fleet's own limits, links and served WDSes but for these; nothing is done when it has them already."""
        wanted, served = {**self._own, **limits}, serving or self._own_serving
        if (wanted, link, served) == (self._now, self._link, self._serving) or self._reconfigure is None:
            return
        told = [f"{name}={value:g}" for name, value in sorted(wanted.items()) if self._now[name] != value]
        told += [f"links with {link}" if link is not None else "its own links"] if link != self._link else []
        told += [f"KubeStellar for {served} of {len(self._wdses)} WDSes"] if served != self._serving else []
        self._session.progress.note(f"giving the fleet {', '.join(told)}")
        both = min(served, self._serving)
        # Also when it fails half-way: the end must put it right.
        self._now, self._link, self._serving = wanted, link, served
        async with self._session.step(STEP):
            await self._session.sampling.rest(self._wdses[both:])
            await self._reconfigure(wanted, link, served)
            await self._session.sampling.rest(self._wdses[served:])
