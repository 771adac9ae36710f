"""What a run keeps of its manager, as data: version, hops, stages, status contract. A report needs nothing else."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fleet.model.base import Model

Space = Literal["source", "transport", "wec"]
"""Where something is watched: where the user writes, what carries it, where it must arrive. Two may be one cluster."""


class HopRow(Model):
    """One mark on an object's way, and the rule by which it is found. `fleet.analysis.join` reads nothing else."""

    mark: str
    """`created`, `activated`, `ready`, `reported` and `finalized` mean the same for all managers; the others belong to
    one. Empty: the hop shows only what exists (policies and the WECs they resolve to)."""
    space: Space
    resource: str = ""
    """`plural.group`, as `fleet.kube.resources.Resource` prints it; empty for the kinds of the workload."""
    per: Literal["object", "wec"] = "wec"
    """One mark per object, or one per object and WEC."""
    not_before: str = ""
    """A mark per object whose version this one's must have reached: what was made of an older version is not it."""
    owned_by: str = ""
    """Of `activated`: a mark by whose object it must be owned; else it is somebody else's of the same name."""
    newest: bool = False
    """Its objects are found by a name that is used again: only the newest that says so counts, while it exists."""
    compares: Literal["", "status", "fields", "counts"] = ""
    """Of a mark that carries a status: it counts once that equals a final status of the WEC's object, whole or in the
    fields that it has. `counts`: once each of the numbers is that of the object's WECs."""


class StageRow(Model):
    """A latency between two marks. Of a mark per WEC, a stage per object takes the last WEC's."""

    name: str
    text: str = ""
    """What it is from and to, for people."""
    begins: str
    ends: str
    per: Literal["object", "wec"] = "wec"
    bundled: str = ""
    """A mark: where that was there before the object was created, the stage has no meaning."""


class FixedDelay(Model):
    """A delay that a manager has whatever its limits are."""

    name: str
    mark: str
    """It is part of the way to this mark."""
    seconds: float
    holds_back: bool = False
    """It is counted from an earlier event: what comes meanwhile rides on it, and looks faster than it is."""


class Aggregation(Model):
    """How the statuses of several WECs become one: per counter the smallest, the largest or the sum of those that have
    it."""

    group: str
    resource: str
    smallest: tuple[str, ...] = ()
    largest: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    """Fields about the object at the source itself, and so are compared with nothing."""
    condition: tuple[str, str | None] | None = None
    """Type and reason (None: any) of the one condition that is kept."""


class StatusContract(Model):
    """What a user can read of an object's status at the source, and when it counts as complete."""

    summary: str
    """One sentence, printed alongside every `finalized`."""
    aggregations: tuple[Aggregation, ...] = ()
    aggregates_one: bool = False
    """The status of an object with one WEC is made by the same rule; else it is that WEC's, copied."""
    poll_seconds: float | None = None
    """Of a manager that requests statuses in turns; None where it watches."""


class ManagerRecord(Model):
    """Everything that reports, joins and comparisons know of a manager."""

    name: str
    title: str = ""
    """Its name as people write it; empty: `name`."""
    version: str = ""
    terms: dict[Space, str] = Field(default_factory=dict)
    """What the manager calls its spaces, for people."""
    hops: tuple[HopRow, ...] = ()
    downsync_begins: Literal["created", "sent"] = "created"
    """Of the stage `downsync`, which ends at `activated`. `sent`, the moment at which the driver sent the object, where
    an object is created in its WEC: `created` and `activated` are then one line, and no time is between them."""
    stages: tuple[StageRow, ...] = ()
    fixed: tuple[FixedDelay, ...] = ()
    status: StatusContract | None = None
    defaults: dict[str, float] = Field(default_factory=dict)
    """Client limits as the manager's own distribution has them."""
    metrics: dict[str, str] = Field(default_factory=dict)
    """Of its own exporter: the Prometheus name by stage, and of `workload_count`."""
    components: tuple[str, ...] = ()
    """Programs of the manager itself: whose CPU, requests and queues are its cost."""
    agents: tuple[str, ...] = ()
    """Those of them that run once per WEC."""
    scraped: tuple[str, ...] = ()
    """Those whose own metrics are read, and whose queues must be empty before a load begins."""
    unserved: tuple[str, ...] = ()
    """Work queues of those that nothing takes from, such as a controller's that is switched off: they only fill."""
    series: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What is kept of those pages besides what every controller has: labels by metric; a name may end in `*`."""

    @property
    def shown(self) -> str:
        """Its title or name."""
        return self.title or self.name

    def hold(self, mark: str) -> FixedDelay | None:
        """What is fixed of the way to that mark."""
        return next((delay for delay in self.fixed if delay.mark == mark), None)

    def term(self, space: Space) -> str:
        """What the manager calls that space; the space's own name where it does not."""
        return self.terms.get(space, "WEC" if space == "wec" else space)
