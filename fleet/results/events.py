"""The typed lines of `events.jsonl`: what the driver did and what every watch said, with the receipt's stamps.

One JSON object per line, tagged by `t`, appended as it happens and never rewritten. `ns` is the driver's monotonic
clock in nanoseconds at the receipt (before parsing); `wall` is Unix time in nanoseconds of the same moment. `server`
is the API server's own stamp (whole seconds, RFC 3339) where the object has one; the two are never mixed.

Only what a later join needs is kept of an object: identity, versions, links and status.
"""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT = 2
"""1: first format (0.1.0), read by `fleet.results.format1`. 2: one kind of line for every hop of any manager."""

Key = tuple[str, ...]
"""A link between hops: `("op", op-id)`, or a word and what identifies an object that another hop saw."""


class ObjectRef(msgspec.Struct, frozen=True, array_like=True):
    """Identity of a workload object: API group, plural resource, namespace, name."""

    group: str
    resource: str
    namespace: str
    name: str

    @property
    def kind(self) -> str:
        """`plural`, or `plural.group`, as `fleet.kube.resources.Resource` prints it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Fact(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What one watched object says about one object of the workload."""

    about: Key
    """The object of the workload: its op-id, or a key that another hop gave. With group, plural, namespace and name of
    that object behind a key that is given for several objects at once."""
    wec: str = ""
    """Empty: about the object as a whole."""
    seen: bool = True
    """False: the keys hold, but the mark is not reached yet."""
    status: Any = None
    """For hops that compare."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", omit_defaults=True):
    """What every line has."""

    ns: int
    wall: int


class Seen(Event, frozen=True, kw_only=True):
    """What every watch line has: where it came from and how."""

    cluster: str
    type: str
    """ADDED, MODIFIED or DELETED."""
    uid: str
    rv: str
    listed: bool = False
    """From a list, not from a watch: the receipt says only that it was there by then."""
    gap: bool = False
    """Found by comparing after a gap in the watch; the true moment lies inside the gap."""
    writer: str = ""
    """managedFields manager of the write, `/status` behind it for a subresource; empty where it is not known."""


class RunMark(Event, frozen=True, kw_only=True, tag="mark"):
    """A step of the run began or ended (`prepare`, `settle`, `load`, `drain`, `clean`, ...)."""

    step: str
    edge: str
    """begin or end."""
    trial: str = ""
    note: str = ""


class TrialPlan(Event, frozen=True, kw_only=True, tag="trial"):
    """What a trial will do, written before it does it: the analysis counts missing samples against this."""

    trial: str
    layout: str
    """one-to-one or one-to-many."""
    wecs: int
    repeat: int
    """Counts from 0; -1 for a warm-up, whose samples are not counted."""
    clusters: list[str]
    kind: str
    """Of the workload: deployment, pod, configmap, or the name of a profile."""
    point: str = ""
    """What other trials have another value of, as `policies=5`."""
    policies: int = 0
    """In all sources together; 0 in runs of before 0.2: one per WEC, or one."""
    limits: dict[str, float] = {}
    """Client limits that the fleet had for this trial, where they were not its own."""
    sources: list[str] = []
    """Clusters that the policies are spread over; empty in runs of before 0.2: the first source."""
    load: str = ""
    """The load shape, when it has a schedule: latencies then count from the scheduled moment too. Empty for a closed loop,
    which sends as the answers come."""


class Planned(Event, frozen=True, kw_only=True, tag="planned"):
    """One object of a trial and the WECs that must get it."""

    trial: str
    op: str
    """Op-id: also the annotation `fleet-testbed/op` of the object."""
    policy: str
    ref: ObjectRef
    clusters: list[str]
    status: str
    """How its status returns: `copy` (of its only WEC), `aggregate` (of all WECs in one), `report` (it does not return to
    the object: ends at the last report), `none` (the kind has no status)."""
    kind: str = ""
    """deployment, secret and so on; empty: as the trial's."""
    source: str = ""
    """Where it is sent to; empty in runs of before 0.2: the first source."""


class Sent(Event, frozen=True, kw_only=True, tag="sent"):
    """One write of the driver to a source. `ns` is the response's receipt; the request left at `sent_ns`."""

    op: str
    scheduled_ns: int
    sent_ns: int
    code: int
    """HTTP status; 0 when there was no answer."""
    uid: str = ""
    rv: str = ""
    error: str = ""


class WorkloadSeen(Seen, frozen=True, kw_only=True, tag="workload"):
    """An object of ours of the workload's kinds, at a source or in a WEC."""

    ref: ObjectRef
    op: str
    generation: int = 0
    owners: list[str] = []
    """uids of its owners."""
    status: Any = None
    """The object's whole `.status`, None when absent."""
    replicas: int | None = None
    """`spec.replicas`, for the kinds that have it: says when a status is final."""
    server: str = ""
    """metadata.creationTimestamp."""


class HopSeen(Seen, frozen=True, kw_only=True, tag="hop"):
    """An object of the manager, read by one row of its hop table.

    What it says is written when it is another than at its last line, whole; `again` marks a line that says the same.
    """

    hop: str
    """The row's mark; empty for one that only says what exists."""
    resource: str
    """`plural.group`."""
    name: str
    namespace: str = ""
    again: bool = False
    facts: list[Fact] = []
    gives: list[Key] = []
    """Keys by which later hops are about the same objects as these facts."""
    policy: str = ""
    """Name of the policy that the facts ride on: only objects planned for it are meant; empty where it is not known."""
    source: str = ""
    """Cluster in which their originals are, likewise."""
    version: int = 0
    """Grows with each change of what `HopRow.not_before` compares."""
    targets: list[str] | None = None
    """WECs that `policy` resolves to; None where it is not known."""
    server: str = ""


class GapSeen(Event, frozen=True, kw_only=True, tag="gap"):
    """A watch was blind between `start_ns` and `ns`."""

    cluster: str
    resource: str
    start_ns: int
    reason: str


class ClusterState(Event, frozen=True, kw_only=True, tag="cluster"):
    """A cluster stopped or began answering, as the driver saw it."""

    cluster: str
    state: str
    """up or down."""
    reason: str = ""


class ProcessSample(Event, frozen=True, kw_only=True, tag="process"):
    """Resources of one program at one moment."""

    machine: str
    program: str
    component: str
    cluster: str
    pid: int
    cpu_seconds: float
    """Since the program started, user and system."""
    rss: int
    """Bytes."""
    pss: int = 0
    """Bytes; 0 when not read (it is dear)."""
    fds: int = 0
    threads: int = 0


class HostSample(Event, frozen=True, kw_only=True, tag="host"):
    """CPU time on one host since it was booted, summed over its cores, seconds."""

    host: str
    """Its boot id: machines of a fleet may share one host."""
    machines: list[str]
    """Machines of the fleet whose programs run on it, as far as this sampler knows."""
    cores: int
    busy_seconds: float
    """Of everybody, the kernel included."""
    stolen_seconds: float
    """What a hypervisor gave to somebody else while this host wanted to run."""
    harness_seconds: float
    """Of the driver and its helpers; on another machine of the sampler there."""


class MetricSample(Event, frozen=True, kw_only=True, tag="metric"):
    """One counter or gauge of a component at one moment, labels joined as `a=b,c=d` in the order of their names."""

    component: str
    cluster: str
    name: str
    labels: str
    value: float


class ProfileTaken(Event, frozen=True, kw_only=True, tag="profile"):
    """A profile was fetched; `ns` and `wall` are of the request, the answer came `seconds` later."""

    machine: str
    program: str
    component: str
    cluster: str
    kind: str
    """heap, goroutine or cpu."""
    file: str = ""
    """In the run folder; empty when it could not be fetched."""
    size: int = 0
    """Bytes."""
    seconds: float = 0.0
    error: str = ""


class Audited(Event, frozen=True, kw_only=True, tag="audit"):
    """One write of an object that a watch of this run saw, from the audit log of its API server; written at the end of a
    run. `wall` is the server's stamp of its answer, `ns` the same moment on the driver's clock; microseconds count."""

    cluster: str
    verb: str
    """create, update, patch or delete."""
    ref: ObjectRef
    received_wall: int
    """Unix time in nanoseconds: when the server had the request."""
    code: int
    """HTTP status."""
    sub: str = ""
    """Subresource."""


class Anomaly(Event, frozen=True, kw_only=True, tag="anomaly"):
    """Something the reader of the run must know: a trial timed out, a WEC was down, the driver could not keep up."""

    what: str
    trial: str = ""
    cluster: str = ""
    text: str = ""


class ProgramChanged(Event, frozen=True, kw_only=True, tag="program"):
    """A program of the fleet runs as another process than at the look before, or runs no more, or runs again."""

    machine: str
    program: str
    """Its name under the supervisor; `<program>/<control plane>` for one control plane of a shared process."""
    component: str
    cluster: str = ""
    old_pid: int = 0
    """0: it did not run."""
    new_pid: int = 0
    """0: it does not run."""
    age_seconds: float = 0.0
    """How long the new process had run at `ns`, by the kernel's start time of it; 0 when there is none."""
    unseen_seconds: float = 0.0
    """How long before `ns` the former look was."""

    @property
    def changed_ns(self) -> int:
        """The best known moment: when the new process began; of one that is gone, when that was seen."""
        return self.ns - round(self.age_seconds * 1e9)


class MachineState(Event, frozen=True, kw_only=True, tag="machine"):
    """Counters of one host since it was booted, from which a disturbance of all its programs is found."""

    host: str
    """Its boot id: machines of a fleet may share one host."""
    machines: list[str]
    wall_ahead_ns: int
    """CLOCK_REALTIME less CLOCK_MONOTONIC there: it changes when the wall clock is set, or the host was suspended."""
    asleep_ns: int
    """CLOCK_BOOTTIME less CLOCK_MONOTONIC: how long it was suspended."""
    error_ns: int = 0
    """Both differences are wrong by at most this much."""
    pages_swapped: int = 0
    """In and out."""
    oom_kills: int = 0
    memory_stalled_us: int = 0
    """Microseconds in which every runnable task waited for memory (PSI `full`)."""


class CertificateEnded(Event, frozen=True, kw_only=True, tag="certificate"):
    """A certificate of the fleet is no longer valid and was not replaced."""

    machine: str
    file: str
    """Below the machine's folder."""
    subject: str
    ended_wall: int
    """Unix time in nanoseconds."""


class LeaderChanged(Event, frozen=True, kw_only=True, tag="leader"):
    """A Lease of leader election has another holder than at the look before."""

    cluster: str
    lease: str
    """`<namespace>/<name>`."""
    old: str
    """Its holderIdentity; empty: none."""
    new: str


class FaultInjected(Event, frozen=True, kw_only=True, tag="fault"):
    """The driver is about to disturb the fleet, as `during` of the experiment asks; `ns` is before the order."""

    trial: str
    number: int
    """Which entry of `during`, from 0."""
    action: str
    target: str
    machine: str
    clusters: list[str]
    """Control planes that it takes away."""
    programs: list[str]
    """Programs whose end or restart is a part of it."""
    held: list[str] = []
    """Control planes, programs or machines that it is done to; of a share of the WECs those that were chosen."""
    rewinds: bool = False
    """It puts its control planes back to an older state: their versions begin again from there."""


class FaultHealed(Event, frozen=True, kw_only=True, tag="healed"):
    """What a fault took away is there again; `ns` is after the answer."""

    trial: str
    number: int
    action: str
    target: str


class MarkSeen(Seen, frozen=True, kw_only=True, tag="seen"):
    """An object reached a mark of an experiment with marks of its own; written the first time only."""

    trial: str
    resource: str
    """`plural`, or `plural.group`, as `fleet.kube.resources.Resource` prints it."""
    namespace: str
    name: str
    mark: str
    """created, scheduled, running, deleted and so on."""
    data: Any = None
    """Small, as the experiment's own analysis wants it."""
    server: str = ""
    """metadata.creationTimestamp."""


class Expected(Event, frozen=True, kw_only=True, tag="expected"):
    """So many objects must come in a trial that the driver does not create itself."""

    trial: str
    resource: str
    count: int
    cluster: str = ""


class Requested(Event, frozen=True, kw_only=True, tag="request"):
    """One request of a load whose requests are the samples; `ns` is the end of its answer."""

    trial: str
    op: str
    """create, get, list, patch, delete and so on."""
    cluster: str
    due_ns: int
    """When an open loop was to send it."""
    sent_ns: int
    code: int
    """HTTP status; 0 when there was no answer."""
    error: str = ""
    """Class of the error; empty when it was answered as it should be."""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class Measured(Event, frozen=True, kw_only=True, tag="measured"):
    """A quantity that is no latency."""

    name: str
    value: float
    unit: str
    trial: str = ""
    of: dict[str, str] = {}
    """Labels, as `{"program": "dense.0", "phase": "steady"}`."""


Line = (
    RunMark
    | TrialPlan
    | Planned
    | Sent
    | WorkloadSeen
    | HopSeen
    | GapSeen
    | Audited
    | ClusterState
    | ProcessSample
    | HostSample
    | MetricSample
    | ProfileTaken
    | Anomaly
    | ProgramChanged
    | MachineState
    | CertificateEnded
    | LeaderChanged
    | FaultInjected
    | FaultHealed
    | MarkSeen
    | Expected
    | Requested
    | Measured
)
"""Any line of events.jsonl."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode(event: Line) -> bytes:
    """One line, newline included."""
    return _encoder.encode(event) + b"\n"


def decode(line: bytes) -> Line:
    """The event of one line; msgspec.DecodeError when it is not whole or not known."""
    return _decoder.decode(line)
