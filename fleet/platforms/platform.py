"""How the testbed installs a platform in a WEC: what it does, and what it needs of the control plane and its nodes.

Each platform is a package here with a module `install`, whose PLATFORM is found by the package's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.plan import PLAIN, ControlPlane, NodeShape, Plan
from fleet.host.weight import NOTHING, Weight
from fleet.install.objects import Ledger
from fleet.install.program_parts import Upstream
from fleet.kube.client import KubeClient
from fleet.model.by_folder import ByFolder
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables

PLATFORMS = ByFolder("fleet.platforms", "install", "PLATFORM", variable="platform")
FOLDER = "platforms"
"""In a machine's folder: `<platform>/<wec>/` holds what a platform has there. It is made first and removed last."""


@dataclass(frozen=True)
class Needs:
    """What a control plane must have for a platform, before the platform comes."""

    apiserver: tuple[str, ...] = ()
    """Flags of its API server; those of the inventory come later and win."""
    aggregates: bool = False
    """The platform serves a part of the API."""
    openapi: bool = False
    """One of its programs reads the OpenAPI of what the control plane serves."""
    audit: bool = False
    """Who sends each request is to be known."""
    nodes: NodeShape = PLAIN
    controllers: tuple[str, ...] = ()
    """Of kube-controller-manager, besides those that every WEC has."""

    def given_to(self, plane: ControlPlane) -> ControlPlane:
        """The same control plane with these."""
        extra = replace(plane.extra, apiserver=(*self.apiserver, *plane.extra.apiserver))
        nodes = self.nodes if self.nodes != PLAIN else plane.nodes
        return replace(
            plane,
            extra=extra,
            aggregates=plane.aggregates or self.aggregates,
            openapi=plane.openapi or self.openapi,
            audit="all" if self.audit else plane.audit,
            nodes=nodes,
            controllers=tuple(dict.fromkeys((*plane.controllers, *self.controllers))),
        )


@dataclass(frozen=True)
class Seat:
    """One WEC of a machine that a platform is in, and what the inventory says."""

    machine: Machine
    wec: str
    platform: str
    upstream: Upstream
    variables: Variables = field(default_factory=Variables)
    server: str = ""
    """URL of its API server; empty in check mode when it is not made yet."""

    @property
    def layout(self) -> Layout:
        """The machine's folder."""
        return self.machine.layout

    @property
    def folder(self) -> Path:
        """All files of the platform for this WEC."""
        return seat_folder(self.layout, self.platform, self.wec)

    def port(self, what: str, programs: Collection[str] = ()) -> int:
        """A port of this machine that no other fleet has, while the platform is here; `programs` listen on it."""
        in_use = bool(self.machine.live_programs() & set(programs))
        return self.machine.take(port_owner(self.platform, self.wec, what), 1, in_use=in_use).start


Start = Callable[[Iterable[str]], None]
"""Starts programs of the plan by their names; what is not started is started when `install` has returned."""


class Platform:
    """One platform; what it does not say is nothing to do.

    Killed at any moment, the next call repairs. Errors are FleetErrors that name the WEC or the variable.
    """

    components: Sequence[str] = ()
    """Its programs that are the system under test, by component; what else it runs plays something for it."""
    versioned_by: str = ""
    """The program whose version is the platform's."""
    pages: Mapping[str, Reader] = {}
    """Where each of its components serves metrics and profiles."""
    weight: Weight = NOTHING
    """What it takes in one WEC, at rest."""
    clashes: Sequence[str] = ()
    """Platforms that cannot be in the same WEC; to be named by one of the two."""

    def problems(self, variables: Variables) -> Iterator[Problem]:  # noqa: ARG002
        """What is wrong with variables for this platform."""
        yield from ()

    def needs(self, variables: Variables) -> Needs:  # noqa: ARG002
        """What its control planes must have."""
        return Needs()

    def plan(self, seat: Seat) -> Plan:  # noqa: ARG002
        """Its files and programs for one WEC; takes ports (not in check mode)."""
        return Plan()

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:  # noqa: ARG002
        """Bring its objects about, start its programs in their order, and wait until it works.

        With `ledger.check` only say what would change; nothing is started then.
        """
        return

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:  # noqa: ARG002
        """Take its objects out of a WEC that stays, while its programs still run, until all of them are gone."""
        return


def seat_folder(layout: Layout, platform: str, wec: str) -> Path:
    """All files of a platform for one WEC."""
    return layout.root / FOLDER / platform / wec


def port_owner(platform: str, wec: str, what: str = "") -> str:
    """Who holds ports; without `what` how the names of all of that platform in that WEC begin."""
    return f"{FOLDER}.{platform}.{wec}.{what}"


def known() -> list[str]:
    """Names of all platforms."""
    return PLATFORMS.names()


def platform(name: str) -> Platform:
    """The platform of that name; UsageError naming the variable when there is none."""
    found: Platform = PLATFORMS.load(name)
    return found


def chosen_wecs(variables: Variables) -> list[str]:
    """The WECs that the platforms of the fleet are in, in order."""
    return variables.wecs[: variables.platform_wecs] if variables.platform else []


def needs_of(variables: Variables, wec: str) -> list[Needs]:
    """What the platforms of the fleet need of that control plane."""
    if wec not in chosen_wecs(variables):
        return []
    return [replace(platform(name).needs(variables), audit=variables.platform_audit) for name in variables.platform]
