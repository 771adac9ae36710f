"""What a planned fault did: when it was noticed, how long until every object was right again, backlog, extra requests.

A pair (an object and a WEC that it was planned for) is right while the object exists there, with a final status where
its kind has one. It is outstanding from the moment that its source has accepted it, or that its copy goes while the
source is to keep it, until it is right. The source is to keep it until the driver begins to delete: some managers let
the source go only after the copies (finalizers).

Of an experiment with marks of its own the objects are outstanding from begin to end of the stages that settle them
(`Stage.settles`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.analysis.disturbances import RECOVERY_NS
from fleet.analysis.history import History
from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.resources import increments
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.analysis.setting import Setting
from fleet.analysis.stats import p99, quantile
from fleet.model.base import Model
from fleet.model.stage import UNREADY
from fleet.results.events import FaultInjected, ProgramChanged

REQUESTS = "apiserver_request_total"
_APART = frozenset({"WATCH"})
_REFUSED = 429
Span = tuple[int, int | None]
"""In which a pair or object was outstanding: from, to (None: to the end of the run); nanoseconds."""


@dataclass(frozen=True)
class Known:
    """What the faults of a run are judged by."""

    history: History
    recorded: Recorded
    hub: Collection[str]
    """Clusters whose requests count."""
    own: Mapping[str, Sequence[Span]]
    """Of an experiment with marks of its own: by trial, its objects' spans."""


class FaultTrial(Model):
    """One fault in one trial; times in seconds."""

    trial: str
    action: str
    target: str
    layout: str
    wecs: int
    point: str = ""
    lasted: float | None = None
    """From the order to inject until it was healed; None: it was not."""
    noticed: float | None = None
    """From the order to inject to the first sign of it in the run's own record: a control plane that does not answer, a
    watch that was blind, a program that ended, a write that failed, an object that was ready and is not. None: there
    was none."""
    noticed_by: str = ""
    recovery: float | None = None
    """From healed until no pair was outstanding that was accepted before, or that the fault broke; 0 when none was.
    None: some were outstanding to the end."""
    unrecovered: int = 0
    """Pairs that were."""
    backlog: int = 0
    """Most pairs outstanding at once, from the order to inject to the recovery."""
    requests: float | None = None
    """That the hub's API servers answered in the trial, without watches and leases."""
    extra_requests: float | None = None
    """More than the mean of the undisturbed trials of this setting; None where there are none."""


class FaultRow(Model):
    """One fault at one setting over its repeats; times in seconds, percentiles by nearest rank."""

    action: str
    target: str
    layout: str
    wecs: int
    point: str = ""
    repeats: int
    unnoticed: int
    """Trials without a sign of it."""
    noticed_p50: float | None = None
    noticed_p99: float | None = None
    """None below 100 repeats, as every p99."""
    noticed_max: float | None = None
    unrecovered: int
    """Trials that did not recover."""
    recovery_p50: float | None = None
    recovery_p99: float | None = None
    recovery_max: float | None = None
    backlog_p50: float
    backlog_max: int
    extra_requests_p50: float | None = None
    downsync_p50: float | None = None
    """Of the trials with the fault."""
    downsync_p99: float | None = None
    undisturbed_p50: float | None = None
    """Down-sync of trials of this setting without a fault; None where there are none."""
    undisturbed_p99: float | None = None


def settling(samples: Iterable[Sample], stages: Collection[str]) -> dict[str, list[Span]]:
    """By trial, when the objects of these samples were outstanding, by the stages that settle them."""
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for one in samples:
        if one.stage in stages and one.start_ns is not None:
            found[one.trial].append((one.start_ns, one.end_ns))
    return dict(found)


def fault_trials(known: Known) -> list[FaultTrial]:
    """Every fault that was carried out, in the order of the run."""
    history, recorded = known.history, known.recorded
    trials = {plan.trial: plan for plan in recorded.trials}
    asked = requests_of_trials(recorded, known.hub)
    faulted = {fault.trial for fault in history.faults}
    calm: defaultdict[Setting, list[float]] = defaultdict(list)
    for name, value in asked.items():
        if name not in faulted:
            calm[setting_of(trials[name])].append(value)
    return [_one(fault, known, asked, calm) for fault in history.faults if fault.trial in trials]


def by_fault(found: Sequence[FaultTrial]) -> dict[tuple[str, str, Setting], list[FaultTrial]]:
    """By action, target and setting, in the order in which each came first."""
    groups: defaultdict[tuple[str, str, Setting], list[FaultTrial]] = defaultdict(list)
    for one in found:
        groups[one.action, one.target, Setting(one.layout, one.wecs, one.point)].append(one)
    return dict(groups)


def fault_rows(found: Sequence[FaultTrial], samples: Iterable[Sample], undisturbed: frozenset[str]) -> list[FaultRow]:
    """Over repeats. `undisturbed` are the trials that nothing happened to."""
    latencies = Samples.of(samples).of_stages("downsync").counted
    rows = []
    for (action, target, setting), group in by_fault(found).items():
        mine = {one.trial for one in group}
        with_it = latencies.of_trials(mine).ordered()
        without = _of(latencies, setting, undisturbed).ordered()
        noticed = sorted(one.noticed for one in group if one.noticed is not None)
        recovery = sorted(one.recovery for one in group if one.recovery is not None)
        extra = sorted(one.extra_requests for one in group if one.extra_requests is not None)
        backlog = sorted(one.backlog for one in group)
        rows.append(
            FaultRow(
                action=action,
                target=target,
                **setting._asdict(),
                repeats=len(group),
                unnoticed=len(group) - len(noticed),
                noticed_p50=_median(noticed),
                noticed_p99=p99(noticed),
                noticed_max=max(noticed, default=None),
                unrecovered=len(group) - len(recovery),
                recovery_p50=_median(recovery),
                recovery_p99=p99(recovery),
                recovery_max=max(recovery, default=None),
                backlog_p50=quantile(backlog, 0.5),
                backlog_max=backlog[-1],
                extra_requests_p50=_median(extra),
                downsync_p50=_median(with_it),
                downsync_p99=p99(with_it),
                undisturbed_p50=_median(without),
                undisturbed_p99=p99(without),
            )
        )
    return rows


def fault_pairs(a: Sequence[FaultRow], b: Sequence[FaultRow]) -> list[tuple[FaultRow | None, FaultRow | None]]:
    """Rows of two runs on the same fault and setting; None where one run has none."""
    one, two = ({(r.action, r.target, r.layout, r.wecs, r.point): r for r in rows} for rows in (a, b))
    return [(one.get(key), two.get(key)) for key in dict.fromkeys((*one, *two))]


def _one(
    fault: FaultInjected, known: Known, asked: Mapping[str, float], calm: Mapping[Setting, Sequence[float]]
) -> FaultTrial:
    history, recorded = known.history, known.recorded
    plan = next(plan for plan in recorded.trials if plan.trial == fault.trial)
    healed = history.healed.get((fault.trial, fault.number))
    end = fault.ns if healed is None else healed
    noticed, by = _noticed(fault, end, recorded)
    pairs, own = list(outstanding(history, fault.trial)), known.own.get(fault.trial, ())
    late = [until for since, until in pairs if since <= end or _broken(since, end, history, fault.trial)]
    late += [until for since, until in own if since <= end]
    open_ = [until for until in late if until is None]
    recovered = None if open_ else max([end, *(until for until in late if until is not None)])
    setting, requests = setting_of(plan), asked.get(fault.trial)
    usual = calm.get(setting, ())
    return FaultTrial(
        trial=fault.trial,
        action=fault.action,
        target=fault.target,
        **setting._asdict(),
        lasted=None if healed is None else (healed - fault.ns) / 1e9,
        noticed=None if noticed is None else (noticed - fault.ns) / 1e9,
        noticed_by=by,
        recovery=None if recovered is None or healed is None else (recovered - end) / 1e9,
        unrecovered=len(open_),
        backlog=_most([*pairs, *own], fault.ns, history.last_ns if recovered is None else recovered),
        requests=requests,
        extra_requests=None if requests is None or not usual else requests - sum(usual) / len(usual),
    )


def outstanding(history: History, trial: str) -> Iterator[Span]:
    """Of each pair of a trial every time in which it was outstanding; until None where the clean-up ended it."""
    for op, planned in history.planned.items():
        if planned.trial != trial or op not in history.accepted:
            continue
        cleaned = history.removing.get(trial)
        deleted = min((ns for ns in (history.origin(op).gone_ns, cleaned) if ns is not None), default=None)
        for pair in history.copies(op):
            since: int | None = history.accepted[op][0]
            for life in pair.lives:
                right = life.born_ns if planned.status == "none" else life.ready_ns
                if right is None or since is None:
                    continue
                yield since, max(since, right)
                gone = life.gone_ns
                since = None if gone is None or (deleted is not None and deleted <= gone) else gone
            if since is not None and (deleted is None or deleted > since):
                yield since, None if deleted == cleaned else deleted


def _broken(since: int, end: int, history: History, trial: str) -> bool:
    """A pair that became outstanding soon after the fault was healed, and not because its object was new."""
    if not end < since <= end + RECOVERY_NS:
        return False
    return all(ns != since for op, (ns, _) in history.accepted.items() if history.planned[op].trial == trial)


def _most(spans: Sequence[Span], start: int, end: int) -> int:
    """Most that were open at once in `[start, end]`."""
    changes: list[tuple[int, int]] = []
    for since, until in spans:
        if since > end or (until is not None and until < start):
            continue
        changes.append((max(since, start), 1))
        if until is not None and until <= end:
            changes.append((until, -1))
    most = now = 0
    for _, change in sorted(changes, key=lambda one: (one[0], -one[1])):
        now += change
        most = max(most, now)
    return most


def _noticed(fault: FaultInjected, end: int, recorded: Recorded) -> tuple[int | None, str]:
    """The first sign, and what it was."""
    clusters, programs = set(fault.clusters), set(fault.programs)
    signs = [
        *((s.ns, f"{s.cluster} did not answer") for s in recorded.states
          if s.state == "down" and s.cluster in clusters),
        *((g.ns, f"a watch of {g.cluster} was blind") for g in recorded.gaps if g.cluster in clusters),
        *((line.ns, f"{line.program} ended") for line in recorded.troubles
          if isinstance(line, ProgramChanged) and line.old_pid and line.program.partition("/")[0] in programs),
        *((s.ns, f"a write was answered with {s.code or 'nothing'}") for s in recorded.refused
          if s.code == 0 or s.code >= _REFUSED),
        *((one.ns, f"a request was answered with {one.code or 'nothing'}") for one in recorded.requests
          if one.error and (one.code == 0 or one.code >= _REFUSED)),
        *((seen.ns, f"{seen.name} ({seen.resource}) was not ready") for seen in recorded.seen if seen.mark == UNREADY),
    ]  # fmt: skip
    inside = [sign for sign in signs if fault.ns <= sign[0] <= end + RECOVERY_NS]
    return min(inside) if inside else (None, "")


def requests_of_trials(recorded: Recorded, hub: Collection[str]) -> dict[str, float]:
    """That the hub's API servers answered in each counted trial, without watches and leases; empty where their metrics
    were not read."""
    found: dict[str, float] = {}
    for one in increments(recorded, REQUESTS, lambda labels: labels.get("resource") == "leases"):
        if one.cluster in hub and one.labels.get("verb") not in _APART:
            found[one.trial.trial] = found.get(one.trial.trial, 0.0) + one.value
    return found


def _of(samples: Samples, setting: Setting, trials: Collection[str]) -> Samples:
    """Those of the setting in these trials."""
    return samples.about(lambda subject: subject.trial in trials and subject.setting == setting)


def _median(ordered: Sequence[float]) -> float | None:
    return quantile(ordered, 0.5) if ordered else None
