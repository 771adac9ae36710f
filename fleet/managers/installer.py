"""How the testbed installs a manager: what it does, the values that cross it, and which there are.

Each manager is a package here with a module `install`, whose INSTALLER is found by the package's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.host.change import Change
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.weight import NOTHING, Weight
from fleet.install.program_parts import Upstream
from fleet.model.by_folder import ByFolder
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import Cluster, Component, FleetFile, ManagerOf
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables

INSTALLERS = ByFolder("fleet.managers", "install", "INSTALLER", variable="manager")


@dataclass(frozen=True)
class HubPlane:
    """A control plane that the manager wants on the hub's machine."""

    name: str
    role: str
    signs: bool = False
    """It signs the client certificates of clusters that register there."""
    aggregates: bool = False
    """Its API server passes requests of some API groups on to a program of the manager (API aggregation)."""
    dialled: bool = False
    """Every WEC has an agent that dials it. The first of these is the one that other machines and links lead to."""


@dataclass(frozen=True)
class Serving:
    """How a manager runs for some of its sources alone."""

    variable: str
    """Says for how many, the first ones; empty: for all."""
    parts: Sequence[str]
    """Tags of `site.yml` that a change of it plays, alongside those of every change."""


@dataclass(frozen=True)
class Site:
    """One machine of a fleet, and what the inventory says of it."""

    machine: Machine
    upstream: Upstream
    variables: Variables = field(default_factory=Variables)
    name: str = ""
    """As the inventory calls it; written at the hub, so that it knows where each WEC is."""
    wecs: tuple[str, ...] = ()
    """All WECs of this machine that shall be members."""

    @property
    def limits(self) -> ClientLimits:
        """Client limits, also those that the manager does not have."""
        return ClientLimits.model_validate({name: getattr(self.variables, name) for name in ClientLimits.model_fields})

    @property
    def layout(self) -> Layout:
        """The machine's folder."""
        return self.machine.layout


@dataclass(frozen=True)
class Grant:
    """What the hub's machine makes for the others. `secrets` live some hours and are stored nowhere."""

    server: str
    context: str
    """Name of the hub in kubeconfigs."""
    ca: str
    """PEM."""
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Way:
    """How the agents of a machine reach the hub."""

    server: str = ""
    """URL of the hub; empty: as its kubeconfig has it."""
    link: str = ""
    """URL of this machine's link to the hub; empty: there is none."""
    grant: Grant | None = None
    """On another machine than the hub's."""
    temporary: Path = Path()
    """A folder for what must not outlive the call."""


@dataclass(frozen=True)
class Found:
    """What the machines hold of the fleet."""

    clusters: Sequence[Cluster] = ()
    components: Sequence[Component] = ()

    def of_role(self, role: str) -> list[str]:
        """Names of the clusters of that role, sorted."""
        return sorted(cluster.name for cluster in self.clusters if cluster.role == role)


class Installer:
    """One manager; what it does not say is nothing to do, and so a fleet without a manager has this alone.

    Every method returns what changed, or with `site.machine.check` would; killed at any moment, the next call repairs.
    Errors are FleetErrors that name the cluster or the variable.
    """

    limits: Sequence[str] = ()
    """Client limits that its programs have, by the names of the variables that set them."""
    pages: Mapping[str, Reader] = {}
    """Where each of its components serves metrics and profiles."""
    port_owners: Sequence[str] = ()
    """How the names begin under which its programs hold ports of a machine."""
    plane: Weight = NOTHING
    """What one control plane of its hub takes, with the manager's programs that belong to it."""
    agent: Weight = NOTHING
    """What one more WEC takes per plane that its agents dial: its agent in a process of its own, and its part of the
    hub."""
    serving: Serving | None = None
    """None: it runs for all of its sources, always."""
    versions: Sequence[str] = ()
    """Of its programs at the hub, the pinned one first, where it has several (`manager_version`)."""

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:  # noqa: ARG002
        """What is wrong with variables that are its own; `machines` is how many the fleet has."""
        yield from ()

    def planes(self, variables: Variables) -> Sequence[HubPlane]:  # noqa: ARG002
        """The control planes of its hub, in the order of their names' numbers."""
        return ()

    def agent_weight(self, variables: Variables) -> Weight:  # noqa: ARG002
        """`agent`, or less where these variables have agents share a process."""
        return self.agent

    def agents_env(self, variables: Variables) -> Mapping[str, str] | None:  # noqa: ARG002
        """What the user adds to the environment of every WEC's agent (`AGENT_ENV`); None: there are no agents."""
        return None

    def record(self, variables: Variables, versions: Mapping[str, str], found: Found) -> ManagerOf:  # noqa: ARG002
        """What the fleet file says of it; `versions` by program."""
        return ManagerOf()

    def unrecorded(self, fleet: FleetFile) -> Mapping[str, Any]:  # noqa: ARG002
        """Variables that build its planes again, of a fleet file that records none (an older release's)."""
        return {}

    def refuse(self, recorded: ManagerOf) -> None:
        """UsageError when `site.yml` cannot install it as a fleet file says that it was."""

    def labels(self, layout: Layout) -> Mapping[str, Mapping[str, str]]:  # noqa: ARG002
        """WECs of this machine that are members, each with the labels by which policies select it."""
        return {}

    def hub(self, site: Site) -> Change:  # noqa: ARG002
        """On the hub's machine, once its planes run: all that must be in them, then the programs, until they work."""
        return Change.none()

    def join(self, site: Site, way: Way) -> Change:  # noqa: ARG002
        """On a machine with WECs: make exactly `site.wecs` members."""
        return Change.none()

    def leave(self, site: Site, way: Way) -> Change:  # noqa: ARG002
        """The same machine: let go the WECs that are not in `site.wecs`; nobody joins."""
        return Change.none()

    def retire(self, site: Site) -> Change:  # noqa: ARG002
        """On the hub's machine, before planes of the hub go: let all WECs leave those that `planes` does not have."""
        return Change.none()

    def purge(self, site: Site, wanted: Mapping[str, str]) -> Change:  # noqa: ARG002
        """On the hub's machine: take off WECs that no machine lets go. `wanted`: WEC to machine, of the whole fleet."""
        return Change.none()

    def grant(self, site: Site, server: str) -> Grant | None:  # noqa: ARG002
        """On the hub's machine: what the others need; None without a hub, or where it does not answer in check mode."""
        return None

    def clear(self, site: Site) -> Change:  # noqa: ARG002
        """On a machine whose WECs have left: remove from them what joining had put there."""
        return Change.none()


def not_had(manager: Installer, version: str) -> str:
    """Why the manager cannot have that version, as the begin of a sentence that ends with its name; empty: it can."""
    if not version or version in manager.versions:
        return ""
    if not manager.versions:
        return f"{version} cannot be had: leave it empty, for the one version"
    return f"{version} cannot be had: write {' or '.join(manager.versions)}, the versions"


def known() -> list[str]:
    """Names of all managers."""
    return INSTALLERS.names()


def installer(name: str) -> Installer:
    """The manager of that name; UsageError naming the variable when there is none."""
    found: Installer = INSTALLERS.load(name)
    return found
