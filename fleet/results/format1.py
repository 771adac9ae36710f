"""Reads the lines of run folders of format 1 (0.1.0), which had a kind of line for each of KubeStellar's objects.

The first format is not written any more and must be readable forever: what it says of its manager is in
`fleet.results.format1_manager`, as it was then.
"""

from __future__ import annotations

from typing import TypeVar, Any

import msgspec

from fleet.results import events
from fleet.results.events import Fact, HopSeen, Line, ObjectRef, Seen

T = TypeVar("T")



class TrialPlan1(events.Event, frozen=True, kw_only=True, tag="trial"):
    """`wdses` became `sources`."""

    trial: str
    layout: str
    wecs: int
    repeat: int
    clusters: list[str]
    kind: str
    point: str = ""
    policies: int = 0
    limits: dict[str, float] = {}
    wdses: list[str] = []
    load: str = ""


class Planned1(events.Event, frozen=True, kw_only=True, tag="planned"):
    """`wds` became `source`."""

    trial: str
    op: str
    policy: str
    ref: ObjectRef
    clusters: list[str]
    status: str
    kind: str = ""
    wds: str = ""


class Clause(msgspec.Struct, frozen=True, array_like=True):
    """Which object, at which resourceVersion at its source."""

    ref: ObjectRef
    rv: str


class BindingSeen(Seen, frozen=True, kw_only=True, tag="binding"):
    """A Binding in the WDS. Of one uid and generation the clauses were written once."""

    name: str
    generation: int
    clauses: list[Clause] | None = None
    destinations: list[str] | None = None
    server: str = ""


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """One manifest in a ManifestWork."""

    group: str
    kind: str
    namespace: str
    name: str
    op: str


class ManifestWorkSeen(Seen, frozen=True, kw_only=True, tag="manifestwork"):
    """A ManifestWork in the ITS; `namespace` is the WEC."""

    namespace: str
    name: str
    binding: str
    wds: str
    binding_generation: int
    generation: int
    manifests: list[Manifest]
    applied_generation: int = 0
    server: str = ""


class AppliedManifestWorkSeen(Seen, frozen=True, kw_only=True, tag="appliedmanifestwork"):
    """An AppliedManifestWork in a WEC; `work` is the ManifestWork's name."""

    name: str
    work: str
    applied: list[str] = []
    server: str = ""


class WorkStatusSeen(Seen, frozen=True, kw_only=True, tag="workstatus"):
    """A WorkStatus in the ITS; `namespace` is the WEC, `owner` the uid of its ManifestWork."""

    namespace: str
    name: str
    owner: str
    ref: ObjectRef
    status: Any = None
    server: str = ""


Line1 = (
    events.RunMark
    | TrialPlan1
    | Planned1
    | events.Sent
    | events.WorkloadSeen
    | BindingSeen
    | ManifestWorkSeen
    | AppliedManifestWorkSeen
    | WorkStatusSeen
    | events.GapSeen
    | events.ClusterState
    | events.ProcessSample
    | events.HostSample
    | events.MetricSample
    | events.ProfileTaken
    | events.Anomaly
)

_decoder: msgspec.json.Decoder[Line1] = msgspec.json.Decoder(Line1)


def decode(line: bytes) -> Line:
    """The event of one line, in today's kinds; msgspec.DecodeError when it is not whole or not known."""
    return upgraded(_decoder.decode(line))


def upgraded(event: Line1) -> Line:
    """The same in today's kinds."""
    match event:
        case events.WorkloadSeen():
            return event
        case ManifestWorkSeen():
            return _manifest_work(event)
        case BindingSeen():
            return _binding(event)
        case WorkStatusSeen():
            return _work_status(event)
        case AppliedManifestWorkSeen():
            about = ("work", event.cluster, event.work)
            resource = "appliedmanifestworks.work.open-cluster-management.io"
            return _hop(event, "delivered", resource, event.name, facts=[Fact(about, event.cluster)])
        case TrialPlan1():
            return events.TrialPlan(**_renamed(event, "wdses", "sources"))
        case Planned1():
            return events.Planned(**_renamed(event, "wds", "source"))
        case _:
            return event


def _binding(event: BindingSeen) -> HopSeen:
    return _hop(
        event,
        "bound",
        "bindings.control.kubestellar.io",
        event.name,
        facts=[Fact(("rv", clause.rv, *msgspec.structs.astuple(clause.ref))) for clause in event.clauses or ()],
        again=event.clauses is None and event.type != "DELETED",
        policy=event.name,
        version=event.generation,
        targets=event.destinations,
    )


def _manifest_work(event: ManifestWorkSeen) -> HopSeen:
    return _hop(
        event,
        "packaged",
        "manifestworks.work.open-cluster-management.io",
        event.name,
        namespace=event.namespace,
        facts=[Fact(("op", manifest.op), event.namespace) for manifest in event.manifests],
        gives=[("work", event.namespace, event.name), ("work-uid", event.uid)],
        policy=event.binding,
        source=event.wds,
        version=event.binding_generation,
    )


def _work_status(event: WorkStatusSeen) -> HopSeen:
    about = ("work-uid", event.owner, *msgspec.structs.astuple(event.ref))
    return _hop(
        event,
        "reported",
        "workstatuses.control.kubestellar.io",
        event.name,
        namespace=event.namespace,
        facts=[Fact(about, event.namespace, status=event.status)],
    )


def _hop(event: Any, hop: str, resource: str, name: str, **fields: Any) -> HopSeen:
    return HopSeen(
        ns=event.ns,
        wall=event.wall,
        cluster=event.cluster,
        type=event.type,
        uid=event.uid,
        rv=event.rv,
        listed=event.listed,
        gap=event.gap,
        writer=event.writer,
        server=event.server,
        hop=hop,
        resource=resource,
        name=name,
        **fields,
    )


def _renamed(event: TrialPlan1 | Planned1, was: str, now: str) -> dict[str, Any]:
    return {now if name == was else name: value for name, value in msgspec.structs.asdict(event).items()}
