"""One pass over the events of a run: the join is fed, and what is not joined is kept in the order of its coming."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from fleet.analysis.join import Join
from fleet.analysis.setting import Setting
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import (
    Anomaly,
    CertificateEnded,
    ClusterState,
    Expected,
    FaultHealed,
    FaultInjected,
    GapSeen,
    HopSeen,
    HostSample,
    LeaderChanged,
    Line,
    MachineState,
    MarkSeen,
    Measured,
    MetricSample,
    Planned,
    ProcessSample,
    ProfileTaken,
    ProgramChanged,
    Requested,
    RunMark,
    Seen,
    Sent,
    TrialPlan,
    WorkloadSeen,
)

AFTER = "after"
"""The step that watches on when the load has ended."""
TRIAL = "trial"
"""The step that holds all of a trial, where its experiment has a body of its own."""

Trouble = ProgramChanged | MachineState | CertificateEnded | LeaderChanged | FaultInjected | FaultHealed
"""Lines that `fleet.analysis.disturbances` reads."""


class Write(NamedTuple):
    """One version of an object that a watch delivered while nothing was sent."""

    ns: int
    cluster: str
    resource: str
    name: str
    uid: str
    writer: str
    step: int
    """In which of the steps `after`, from 0."""


@dataclass(slots=True)
class Recorded:
    """What the events say alongside the samples."""

    join: Join
    trials: list[TrialPlan] = field(default_factory=list)
    trial_of: dict[str, str] = field(default_factory=dict)
    """Trial of each op-id."""
    planned: dict[str, int] = field(default_factory=dict)
    """Objects per trial."""
    copies: dict[str, int] = field(default_factory=dict)
    """The same, counted in each WEC that must get one."""
    marks: list[RunMark] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    """Every attempt at every write."""
    gaps: list[GapSeen] = field(default_factory=list)
    states: list[ClusterState] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    processes: list[ProcessSample] = field(default_factory=list)
    hosts: list[HostSample] = field(default_factory=list)
    metrics: list[MetricSample] = field(default_factory=list)
    profiles: list[ProfileTaken] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    seen: list[MarkSeen] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    requests: list[Requested] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    """Of the steps `after`: when no load is under way any more."""
    afters: list[float] = field(default_factory=list)
    """How long each of those steps took, seconds."""
    _after_ns: int | None = None
    _version: tuple[str, str, str] = ("", "", "")
    lines: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, event: Line) -> None:
        """Take one line."""
        self.lines += 1
        self.last_ns = max(self.last_ns, event.ns)
        self.first_ns = event.ns if self.first_ns == 0 else min(self.first_ns, event.ns)
        if isinstance(event, MarkSeen | Requested | Measured | Expected):
            self._own(event)
        else:
            self.join.feed(event)
            self._watch_after(event)
            self._keep(event)

    def _keep(self, event: Line) -> None:
        match event:
            case ProcessSample() | HostSample() | MetricSample() | ProfileTaken():
                self._sampled(event)
            case TrialPlan():
                self.trials.append(event)
            case Planned():
                self.trial_of[event.op] = event.trial
                self.planned[event.trial] = self.planned.get(event.trial, 0) + 1
                self.copies[event.trial] = self.copies.get(event.trial, 0) + len(event.clusters)
            case RunMark():
                self.marks.append(event)
            case Sent():
                self.sent.append(event)
            case GapSeen():
                self.gaps.append(event)
            case ClusterState():
                self.states.append(event)
            case Anomaly():
                self.anomalies.append(event)
            case (
                ProgramChanged()
                | MachineState()
                | CertificateEnded()
                | LeaderChanged()
                | FaultInjected()
                | FaultHealed()
            ):
                self.troubles.append(event)
            case _:
                pass

    def _own(self, event: MarkSeen | Requested | Measured | Expected) -> None:
        """Lines of experiments with a body of their own: many, and no other part reads them."""
        match event:
            case MarkSeen():
                self.seen.append(event)
            case Requested():
                self.requests.append(event)
            case Measured():
                self.measured.append(event)
            case Expected():
                self.expected.append(event)

    def _sampled(self, event: ProcessSample | HostSample | MetricSample | ProfileTaken) -> None:
        match event:
            case ProcessSample():
                self.processes.append(event)
            case HostSample():
                self.hosts.append(event)
            case MetricSample():
                self.metrics.append(event)
            case ProfileTaken():
                self.profiles.append(event)

    def objects_per_trial(self) -> dict[Setting, int]:
        """Objects of a counted trial, by its setting."""
        return {setting_of(plan): self.planned.get(plan.trial, 0) for plan in self.trials if plan.repeat >= 0}

    def _watch_after(self, event: Line) -> None:
        if isinstance(event, RunMark) and event.step == AFTER:
            if self._after_ns is not None:
                self.afters.append((event.ns - self._after_ns) / 1e9)
            self._after_ns = event.ns if event.edge == "begin" else None
        elif self._after_ns is not None and isinstance(event, Seen) and event.type != "DELETED" and not event.listed:
            version = (event.cluster, event.uid, event.rv)
            if isinstance(event, HopSeen) and version == self._version:  # several hops read one object
                return
            self._version = version
            write = Write(event.ns, event.cluster, *_what(event), event.uid, event.writer, len(self.afters))
            self.writes.append(write)

    @property
    def after_seconds(self) -> float:
        """How long the steps `after` took, together."""
        return sum(self.afters)

    def minutes_after(self, writes: Iterable[Write]) -> float:
        """Of those steps in which one of these was written: an object of one trial is not there in another's."""
        steps = {write.step for write in writes}
        return sum(self.afters[step] for step in steps if step < len(self.afters)) / 60

    @property
    def refused(self) -> list[Sent]:
        """Attempts that the source did not take."""
        return [sent for sent in self.sent if not HTTPStatus.OK <= sent.code < HTTPStatus.MULTIPLE_CHOICES]

    def span(self, trial: TrialPlan) -> tuple[int, int]:
        """When the trial's load was under way: from its first step `load`, to the end of its `drain`; nanoseconds.

        Of an experiment with a body of its own, the whole step `trial` where it has no step `load`. A run without those
        marks (cut off, or made by hand) ends a trial where the next begins.
        """
        steps = {(m.step, m.edge): m.ns for m in self.marks if m.trial == trial.trial}
        later = [other.ns for other in self.trials if other.ns > trial.ns]
        end = min(later) if later else self.last_ns
        ended = steps.get(("drain", "end"), steps.get(("load", "end"), steps.get((TRIAL, "end"), end)))
        return steps.get(("load", "begin"), trial.ns), ended


def _what(event: Seen) -> tuple[str, str]:
    match event:
        case WorkloadSeen():
            return event.ref.resource, f"{event.ref.namespace}/{event.ref.name}"
        case HopSeen():
            return event.resource.partition(".")[0], f"{event.namespace}/{event.name}".removeprefix("/")
        case _:
            return type(event).__name__, event.uid


def setting_of(plan: TrialPlan) -> Setting:
    """What the trial's samples belong together by."""
    return Setting(plan.layout, plan.wecs, plan.point)


def record(
    events: Iterable[Line], manager: ManagerRecord, *, source: str, object_timeout: float | None, versions: bool = True
) -> Recorded:
    """Read everything once. `versions`: as of the join."""
    recorded = Recorded(Join(manager, source=source, object_timeout=object_timeout, versions=versions))
    for event in events:
        recorded.add(event)
    return recorded
