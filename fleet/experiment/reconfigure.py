"""Gives the fleet other client limits, links, served sources, simulated nodes and another release of its manager in a
run, and its own back at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from fleet.experiment.session import Session
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link

STEP = "reconfigure"


@dataclass(frozen=True)
class Nodes:
    """The simulated nodes of each WEC."""

    simulator: str
    count: int

    def __str__(self) -> str:
        """For people, with the name of the simulator."""
        return f"{self.count} {self.simulator} nodes"


@dataclass(frozen=True)
class Release:
    """What the manager's programs at the hub run as."""

    version: str = ""
    """Empty: the fleet's own."""
    restart: str = ""
    """With another word than before they start again, whatever else is the same; empty: the fleet's own."""

    def __str__(self) -> str:
        """For people, with the name of the manager."""
        return f"{self.version or 'in its own version'}{' started again' if self.restart else ''}"


OWN = Release()


class Reconfigure(Protocol):
    """Changes the fleet: the command line's does it with `fleet up`."""

    async def __call__(
        self, limits: Mapping[str, float], link: Link | None, serving: int, nodes: Nodes | None, release: Release, /
    ) -> None:
        """Returns when the fleet runs with these limits (names as the fleet file has them), every link like this one,
        the manager for the first `serving` sources and in that release, and these nodes, all ready.

        Without `link` each machine has its own again, without `nodes` each WEC. FleetError when it cannot be.
        """


class Refitted:
    """Use as `async with`: at its end the fleet is as it was, whatever happened."""

    def __init__(self, session: Session, reconfigure: Reconfigure | None, fleet: FleetFile) -> None:
        self._session = session
        self._reconfigure = reconfigure
        self._manager = fleet.manager.name
        self._own: Mapping[str, float] = dict(fleet.limits)
        self._now = dict(self._own)
        self._link: Link | None = None
        self._sources = [cluster.name for cluster in fleet.sources()]
        self._own_serving = self._serving = len(fleet.served())
        self._nodes: Nodes | None = None
        self._release = OWN
        self._dirty = False
        """A change began and did not succeed: what the fleet has now is not known."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.have({})

    async def have(
        self,
        limits: Mapping[str, float],
        link: Link | None = None,
        serving: int | None = None,
        nodes: Nodes | None = None,
        release: Release = OWN,
    ) -> None:
        """The fleet's own limits, links, served sources, nodes and release but for these; nothing is done when it has
        them already."""
        if self._reconfigure is None:
            return
        wanted, served = {**self._own, **limits}, serving or self._own_serving
        now = (self._now, self._link, self._serving, self._nodes, self._release)
        if not self._dirty and (wanted, link, served, nodes, release) == now:
            return
        changes = [f"{name}={value:g}" for name, value in sorted(wanted.items()) if self._now.get(name) != value]
        changes += [f"links with {link}" if link is not None else "its own links"] if link != self._link else []
        changes += [f"{self._manager} for {served} of {len(self._sources)} sources"] if served != self._serving else []
        changes += [str(nodes) if nodes is not None else "its own nodes"] if nodes != self._nodes else []
        changes += [f"{self._manager} {release}"] if release != self._release else []
        again = "what it had before once more, as the last change failed"
        self._session.progress.note(f"giving the fleet {', '.join(changes) or again}")
        # What runs for sure, whether this succeeds or not.
        self._dirty, self._serving = True, min(served, self._serving)
        async with self._session.step(STEP):
            await self._session.sampling.rest(self._sources[self._serving :])
            await self._reconfigure(wanted, link, served, nodes, release)
            await self._session.sampling.rest(self._sources[served:])
        self._now, self._link, self._serving, self._nodes = wanted, link, served, nodes
        self._release, self._dirty = release, False
