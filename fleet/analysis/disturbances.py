"""What disturbed the trials of a run, distinguished by whether the experiment planned it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fleet.analysis.recorded import Recorded
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Flag, Sample
from fleet.results.events import (
    CertificateEnded,
    ClusterState,
    FaultHealed,
    FaultInjected,
    GapSeen,
    LeaderChanged,
    MachineState,
    ProgramChanged,
)

CLOCK_NS = 5_000_000
"""A clock is set, or a host suspended, from here on; a slewed clock (NTP) moves both clocks alike and shows as 0."""
SWAPPED_PAGES = 1000
"""4 MB in one trial: a page now and then is the kernel's housekeeping."""
STALLED_SHARE = 0.01
"""Of a trial in which every runnable task waited for memory."""
RECOVERY_NS = 30_000_000_000
"""After a fault was healed: programs that died of it are started again, and watches come back, after growing pauses."""
RECONFIGURE = "reconfigure"
"""The step in which the driver itself restarts programs, between trials."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that happened to the fleet, at the driver's nanoseconds."""

    kind: str
    """program, clock, suspended, swap, memory, oom, certificate, leader."""
    subject: str
    """Which program, machine, certificate or lease."""
    what: str
    """What happened to it, as the predicate of a sentence."""
    ns: int
    trials: tuple[str, ...]
    """Trials whose measured steps it hit, in their order."""
    planned: bool = False
    """It is a part of what `during` requested."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """An entry of `during` that was carried out in one trial."""

    trial: str
    action: str
    target: str
    start_ns: int
    end_ns: int | None
    """When it was healed; None: it was not."""
    clusters: frozenset[str]
    programs: frozenset[str]

    def covers(self, start: int, end: int) -> bool:
        """Whether that time overlaps the fault or what follows from it."""
        return end >= self.start_ns and (self.end_ns is None or start <= self.end_ns + RECOVERY_NS)


@dataclass(frozen=True, slots=True)
class Disturbances:
    """All of a run, by time."""

    found: tuple[Disturbance, ...]
    faults: tuple[PlannedFault, ...]

    @property
    def disturbed(self) -> frozenset[str]:
        """Trials that something hit which nobody planned."""
        return frozenset(trial for one in self.found if not one.planned for trial in one.trials)

    @property
    def faulted(self) -> frozenset[str]:
        """Trials in which the experiment itself disturbed the fleet."""
        return frozenset(fault.trial for fault in self.faults)

    def planned(self, cluster: str, start: int, end: int) -> bool:
        """Whether that cluster's absence then is a part of a planned fault."""
        return any(cluster in fault.clusters and fault.covers(start, end) for fault in self.faults)


def disturbances(recorded: Recorded) -> Disturbances:
    """Everything that the events report."""
    faults = tuple(_faults(recorded))
    spans = {plan.trial: recorded.span(plan) for plan in recorded.trials}
    found = [
        *_programs(recorded, faults, spans),
        *_machines(recorded, spans),
        *_certificates(recorded, spans),
        *_leaders(recorded, spans),
    ]
    return Disturbances(tuple(sorted(found, key=lambda one: one.ns)), faults)


def flagged(samples: Iterable[Sample], found: Disturbances) -> Samples:
    """The samples, those of disturbed trials with `disturbed` or `planned-fault` added to their flags."""
    disturbed, faulted = found.disturbed, found.faulted

    def more(trial: str) -> frozenset[Flag]:
        return frozenset(_flags(disturbed=trial in disturbed, faulted=trial in faulted))

    return Samples.of(samples).with_flags(more)


def excused(recorded: Recorded, found: Disturbances) -> frozenset[str]:
    """Trials with a planned fault in which every blindness of a watch is a part of it."""
    blind = [
        *((gap.start_ns, gap.ns) for gap in unplanned_gaps(recorded, found)),
        *((state.ns, state.ns) for state in unplanned_states(recorded, found)),
    ]
    faulted = found.faulted
    spans = [(plan.trial, recorded.span(plan)) for plan in recorded.trials if plan.trial in faulted]
    return frozenset(
        trial for trial, (begin, end) in spans if not any(start <= end and stop >= begin for start, stop in blind)
    )


def unplanned_gaps(recorded: Recorded, found: Disturbances) -> list[GapSeen]:
    """Gaps of watches that no planned fault explains."""
    return [gap for gap in recorded.gaps if not found.planned(gap.cluster, gap.start_ns, gap.ns)]


def unplanned_states(recorded: Recorded, found: Disturbances) -> list[ClusterState]:
    """Times when a cluster went down or came back that no planned fault explains."""
    return [state for state in recorded.states if not found.planned(state.cluster, state.ns, state.ns)]


def _flags(*, disturbed: bool, faulted: bool) -> Iterator[Flag]:
    if disturbed:
        yield "disturbed"
    if faulted:
        yield "planned-fault"


_Spans = dict[str, tuple[int, int]]


def _hit(spans: _Spans, former: int, now: int) -> tuple[str, ...]:
    """Trials that something hit which was not so at `former` and is at `now`.

    The fleet is looked at right before each load and at the end of each drain, so that both lie in one trial, but for
    looks that were lost: then every trial in between counts.
    """
    return tuple(
        trial for trial, (begin, end) in spans.items() if begin <= now <= end or (former <= begin and now >= end)
    )


def _faults(recorded: Recorded) -> Iterator[PlannedFault]:
    healed = {(line.trial, line.number): line.ns for line in recorded.troubles if isinstance(line, FaultHealed)}
    for line in recorded.troubles:
        if isinstance(line, FaultInjected):
            yield PlannedFault(
                line.trial, line.action, line.target, line.ns, healed.get((line.trial, line.number)),
                frozenset(line.clusters), frozenset(line.programs),
            )  # fmt: skip


def _programs(recorded: Recorded, faults: Sequence[PlannedFault], spans: _Spans) -> Iterator[Disturbance]:
    ours = list(_steps(recorded, RECONFIGURE))
    back = _returns(line for line in recorded.troubles if isinstance(line, ProgramChanged))
    for line in recorded.troubles:
        if not isinstance(line, ProgramChanged) or not line.old_pid:
            continue
        again = line if line.new_pid else back.get((line.machine, line.program, line.ns))
        at, until, what = _absence(line, again, recorded.last_ns)
        former = line.ns - round(line.unseen_seconds * 1e9)
        # One that is gone ended at some time since the former look; one that is back began at a known moment.
        if any(begin <= at and (at if line.new_pid else former) <= end for begin, end in ours):
            continue
        hit = {*_hit(spans, former, at), *_hit(spans, at, until)}
        hit |= {trial for trial, (begin, end) in spans.items() if at <= end and until >= begin}
        planned = any(line.program.partition("/")[0] in f.programs and f.covers(at, at) for f in faults)
        planned = planned or any(line.cluster in f.clusters and f.covers(at, at) for f in faults)
        subject = f"{line.program} (machine {line.machine})"
        yield Disturbance("program", subject, what, at, tuple(t for t in spans if t in hit), planned)


def _absence(line: ProgramChanged, again: ProgramChanged | None, last_ns: int) -> tuple[int, int, str]:
    """When a program was first and last not as before, and what happened to it; `again`: the line of its next life.

    A look asks the supervisor and then the kernel: one that dies in between is noted as gone, though its next life may
    have begun by then.
    """
    if again is not None and again.changed_ns <= line.ns:
        what = f"ended and was started again (process {line.old_pid}, then {again.new_pid})"
        return again.changed_ns, again.changed_ns, what
    until = again.changed_ns if again else last_ns
    what = f"ended (process {line.old_pid}) and did not run for {(until - line.ns) / 1e9:.1f} s"
    return line.ns, until, what + ("" if again else ", to the end")


def _returns(lines: Iterable[ProgramChanged]) -> dict[tuple[str, str, int], ProgramChanged]:
    """Of each line that says that a program is gone, by machine, program and time: the line that says it is back."""
    gone: dict[tuple[str, str], int] = {}
    found = {}
    for line in lines:
        key = (line.machine, line.program)
        if not line.new_pid:
            gone[key] = line.ns
        elif key in gone:
            found[*key, gone.pop(key)] = line
    return found


def _steps(recorded: Recorded, name: str) -> Iterator[tuple[int, int]]:
    begin: int | None = None
    for mark in recorded.marks:
        if mark.step != name:
            continue
        if mark.edge == "begin":
            begin = mark.ns
        elif begin is not None:
            yield begin, mark.ns
            begin = None
    if begin is not None:
        yield begin, recorded.last_ns


def _machines(recorded: Recorded, spans: _Spans) -> Iterator[Disturbance]:
    """One sampler per host suffices: what it counts is the whole host's."""
    series: defaultdict[str, dict[tuple[str, ...], list[MachineState]]] = defaultdict(dict)
    for line in recorded.troubles:
        if isinstance(line, MachineState):
            series[line.host].setdefault(tuple(line.machines), []).append(line)
    for samplers in series.values():
        states = next(iter(samplers.values()))
        names = ", ".join(dict.fromkeys(name for machines in samplers for name in machines))
        subject = f"machine {names}" if names else "the driver's machine"
        for former, now in pairwise(states):
            yield from _moment(subject, former, now, spans)
        for trial, (begin, end) in spans.items():
            yield from _over(subject, states, trial, begin, end)


def _moment(subject: str, former: MachineState, now: MachineState, spans: _Spans) -> Iterator[Disturbance]:
    least = max(CLOCK_NS, former.error_ns + now.error_ns)
    asleep = now.asleep_ns - former.asleep_ns
    step = now.wall_ahead_ns - former.wall_ahead_ns - asleep
    hit = _hit(spans, former.ns, now.ns)
    if asleep > least:
        yield Disturbance("suspended", subject, f"was suspended for {asleep / 1e9:.3f} s", now.ns, hit)
    if abs(step) > least:
        way = "forward" if step > 0 else "back"
        yield Disturbance("clock", subject, f"had its clock set {way} by {abs(step) / 1e9:.3f} s", now.ns, hit)
    kills = now.oom_kills - former.oom_kills
    if kills > 0:
        what = f"ran out of memory: the kernel killed {kills} process{'es' if kills > 1 else ''}"
        yield Disturbance("oom", subject, what, now.ns, hit)


def _over(subject: str, states: Sequence[MachineState], trial: str, begin: int, end: int) -> Iterator[Disturbance]:
    inside = [state for state in states if begin <= state.ns <= end]
    before = [state for state in states if state.ns < begin]
    looks = [*before[-1:], *inside]
    if len(looks) < 2:  # noqa: PLR2004 - one look says no difference
        return
    first, last = looks[0], looks[-1]
    pages = last.pages_swapped - first.pages_swapped
    if pages > SWAPPED_PAGES:
        yield Disturbance("swap", subject, f"moved {pages} pages from or to swap", last.ns, (trial,))
    stalled = (last.memory_stalled_us - first.memory_stalled_us) * 1000 / max(1, last.ns - first.ns)
    if stalled > STALLED_SHARE:
        what = f"was short of memory: for {stalled:.0%} of the time every task waited for it"
        yield Disturbance("memory", subject, what, last.ns, (trial,))


def _certificates(recorded: Recorded, spans: _Spans) -> Iterator[Disturbance]:
    for line in recorded.troubles:
        if isinstance(line, CertificateEnded):
            at = line.ns - (line.wall - line.ended_wall)
            hit = tuple(trial for trial, (_, end) in spans.items() if end >= at)
            subject = f"the certificate {line.file} ({line.subject}; machine {line.machine})"
            yield Disturbance("certificate", subject, "ran out and was not replaced", max(at, recorded.first_ns), hit)


def _leaders(recorded: Recorded, spans: _Spans) -> Iterator[Disturbance]:
    for line in recorded.troubles:
        if isinstance(line, LeaderChanged):
            what = f"passed from {line.old or 'nobody'} to {line.new or 'nobody'}"
            subject = f"the lease {line.lease} of {line.cluster}"
            yield Disturbance("leader", subject, what, line.ns, _hit(spans, line.ns, line.ns))
