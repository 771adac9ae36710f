"""What a manager is to an experiment: a protocol, and the values that cross it. Each manager is a package here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.managers.rights import Right
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import HopRow, ManagerRecord
from fleet.model.run_names import DEFAULT_NAMESPACE_PREFIX
from fleet.results.events import Fact, Key

Object = Mapping[str, Any]

__all__ = [
    "ABSENT",
    "Burden",
    "Cleaning",
    "Fact",
    "Hop",
    "Key",
    "Manager",
    "Object",
    "Plain",
    "Policy",
    "Registration",
    "Spaces",
    "Told",
    "Write",
]


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Everything that a hop reads out of one object."""

    facts: Sequence[Fact] = ()
    gives: Sequence[Key] = ()
    """Keys by which later hops are about the same objects as these facts."""
    policy: str = ""
    """Name of the policy that the facts ride on; must be the planned one where it is known."""
    source: str = ""
    """Name of the source cluster; must be the planned one where it is known."""
    version: int = 0
    """Grows with each change of what `HopRow.not_before` compares."""
    targets: Sequence[str] | None = None
    """WECs that `policy` resolves to; None: it does not say."""


@dataclass(frozen=True)
class Hop:
    """A row of the hop table with its reader. `read` gets the raw object and the name of the cluster; it returns None
    for an object that is not the manager's, and must not raise whatever the object is."""

    row: HopRow
    resource: Resource
    read: Callable[[Object, str], Told | None]
    of_generation: bool = False
    """What it reads changes with the object's generation only, so that it need not be read for every status."""


ABSENT = "Absent"
"""The word of a WEC that its hub does not know."""


@dataclass(frozen=True)
class Registration:
    """How a WEC stands with its manager."""

    word: str
    """For a column, `Available`."""
    problem: str = ""
    """What is wrong, as the rest of a sentence about the WEC; empty: it is a member, as it should be."""


@dataclass(frozen=True)
class Policy:
    """One policy of a group of trials, before the manager turns it into objects."""

    name: str
    target: str
    """Last part of its name: the WEC in one-to-one, `all` in one-to-many."""
    clusters: tuple[str, ...]
    layout: str
    resources: tuple[Resource, ...]
    namespace: str
    labels: tuple[tuple[str, str], ...]
    source: str
    """Cluster in which it is created, with its objects."""


@dataclass(frozen=True)
class Write:
    """One object as it is sent to the source."""

    resource: Resource
    name: str
    namespace: str | None
    body: Object


@dataclass(frozen=True)
class Spaces:
    """The clients of one run, by cluster name."""

    sources: Mapping[str, KubeClient]
    transports: Mapping[str, KubeClient]
    """May hold the same clients as `sources`; empty where there is no manager."""
    wecs: Mapping[str, KubeClient]

    def hub(self) -> tuple[KubeClient, ...]:
        """Sources and transports, each client once."""
        return tuple(
            {client.cluster: client for client in (*self.sources.values(), *self.transports.values())}.values()
        )

    def all(self) -> tuple[KubeClient, ...]:
        """Every client once, the hub's first."""
        return tuple({client.cluster: client for client in (*self.hub(), *self.wecs.values())}.values())

    def workload(self, *, wrapped: bool) -> tuple[KubeClient, ...]:
        """Where objects of the workload's kinds come to be: in the sources, if they are not wrapped there, and WECs."""
        sources = () if wrapped else tuple(self.sources.values())
        return tuple({client.cluster: client for client in (*sources, *self.wecs.values())}.values())


@dataclass(frozen=True)
class Burden:
    """One group of trials, as a manager judges before a run whether it can carry it."""

    shown: str
    """Its first trial, for people."""
    layout: str
    wecs: int
    policies: int
    """Of the source that has most of them."""
    each: int
    """Objects of a policy."""
    objects: int
    """Of all policies."""
    copies: int
    """In all WECs together."""
    limits: Mapping[str, float]
    """The fleet's client limits, with those that the group changes."""
    last: float
    """Seconds after the load's begin at which its last object is sent."""
    seconds: float
    """How long an object may take: `timeouts.object`."""
    policy: Policy
    writes: Sequence[Write]
    """The objects of one policy."""


class Cleaning(Protocol):
    """Takes notes while a run is removed."""

    def took(self, client: KubeClient, resource: Resource, count: int) -> None:
        """So many objects were deleted."""

    def left(self, sentence: str) -> None:
        """Something stays, and why."""


class Manager(Protocol):
    """A multi-cluster manager as experiments see it. Installing one is the package's own business.

    `fleet.managers.registry` finds it: `MANAGER` in the module `manager` of its package.
    """

    name: str
    layouts: Collection[str]
    """Layouts that it can do."""
    hops: Sequence[Hop]
    brings_namespaces: bool
    """It takes the namespace to the WECs itself; else the driver makes it there beforehand."""
    own_namespaces: bool
    """Its policies take whole namespaces: each needs one of its own."""
    namespace_prefix: str
    """How the names of a run's namespaces begin."""
    wraps: bool
    """A source holds objects of the manager's own around those of the workload, and none of the workload's kinds."""
    made: Sequence[Resource]
    """What a run creates at a source besides the workload's own kinds, in the order in which it is deleted."""
    many_sources: bool
    """It may have several sources, each with programs of its own."""
    rights: Sequence[Right]
    """What a run needs in clusters of each space beyond what its hops and `made` say; see `fleet.experiment.rights`."""
    swept: Collection[str]
    """Clients whose token bucket every object passes: `client-limits` sweeps these unless its file names others."""

    def for_fleet(self, fleet: FleetFile) -> Manager:
        """The manager as it is installed in that fleet."""
        ...

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        ...

    def roles(self) -> Mapping[str, str]:
        """`source` and `transport` to the role that such a cluster has in the fleet file; empty without a hub."""
        ...

    def status_return(self, resource: Resource, clusters: int) -> str:
        """How the status of such an object comes back: `copy`, `aggregate`, `report` or `none`."""
        ...

    def policies(self, policy: Policy) -> Sequence[Write]:
        """What is created at the source for one policy, in this order; deleted in the reverse."""
        ...

    def wrap(self, policy: Policy, write: Write) -> Write:
        """The object of the workload as the user creates it at the source."""
        ...

    def check_load(self, burden: Burden) -> None:
        """UsageError, with the numbers, for what it or its limits could never carry."""
        ...

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """How each of those WECs stands with that transport; only reads. Not called where there is no transport."""
        ...

    async def check(self, spaces: Spaces) -> None:
        """FleetError when a WEC is no member or something of an earlier run is left; only reads."""
        ...

    async def prepare(self, spaces: Spaces, namespaces: Collection[str], labels: Mapping[str, str]) -> None:
        """The run's namespaces exist: make in the sources what policies need there; it must go with the namespaces."""
        ...

    async def kind_added(self, source: KubeClient, resource: Resource) -> None:
        """A CRD was added to the source: wait until the manager watches it."""
        ...

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """Wait until everything that the manager made for the run (None: any run) is gone, delete what it forgot.

        The objects of the run at the sources were deleted before. What fails is added to `cleaning`, and no reason
        to leave the rest.
        """
        ...


class Plain(Manager):
    """What most managers have: one hub, both layouts, and objects as they are, in namespaces that the driver makes."""

    layouts: Collection[str] = ("one-to-one", "one-to-many")
    brings_namespaces = False
    own_namespaces = False
    namespace_prefix = DEFAULT_NAMESPACE_PREFIX
    wraps = False
    many_sources = False

    def for_fleet(self, fleet: FleetFile) -> Manager:  # noqa: ARG002 - as every manager
        """The same in every fleet."""
        return self

    def roles(self) -> Mapping[str, str]:
        """One hub is both."""
        return {"source": "hub", "transport": "hub"}

    def wrap(self, policy: Policy, write: Write) -> Write:  # noqa: ARG002 - as every manager
        """The object itself."""
        return write

    def check_load(self, burden: Burden) -> None:
        """Nothing is known to stop a load forever."""

    async def prepare(self, spaces: Spaces, namespaces: Collection[str], labels: Mapping[str, str]) -> None:
        """Nothing is needed."""

    async def kind_added(self, source: KubeClient, resource: Resource) -> None:
        """Nothing need watch it, or nothing says that it does."""
