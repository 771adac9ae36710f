"""One line per object of an experiment with marks of its own: when it reached each mark; samples are made of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Downs, Flag, Sample, own_sample
from fleet.analysis.tracks import Stamp
from fleet.model.stage import Stage
from fleet.results.events import MarkSeen, Requested, TrialPlan

DUE, SENT, ANSWERED = "due", "sent", "answered"
"""Marks of an object that the driver created itself."""
CREATE = "create"


@dataclass(slots=True)
class Lifeline:
    """One object in one cluster."""

    trial: str
    cluster: str
    resource: str
    namespace: str = ""
    name: str = ""
    """Empty: one that was expected and never seen."""
    uid: str = ""
    marks: dict[str, Stamp] = field(default_factory=dict)

    def seconds(self, begin: str, end: str) -> float | None:
        """From one mark to another; None where it lacks one."""
        a, b = self.marks.get(begin), self.marks.get(end)
        return None if a is None or b is None else (b.ns - a.ns) / 1e9


def lifelines(recorded: Recorded) -> list[Lifeline]:
    """Every object that was seen, or created by the driver, or expected; in the order in which they first came.

    An object that is created again under its name has a line of its own. Of a creation that was refused no line is
    made: the request says so.
    """
    lines: list[Lifeline] = []
    open_: dict[tuple[str, str, str, str], Lifeline] = {}
    by_uid: dict[tuple[str, str], Lifeline] = {}
    moments: list[Requested | MarkSeen] = [*(r for r in recorded.requests if r.op == CREATE and r.name), *recorded.seen]
    moments.sort(key=lambda one: one.sent_ns if isinstance(one, Requested) else one.ns)
    for one in moments:
        key = (one.cluster, one.resource, one.namespace, one.name)
        if isinstance(one, Requested):
            if one.error:
                continue
            line = Lifeline(one.trial, *key)
            line.marks |= {DUE: Stamp(one.due_ns), SENT: Stamp(one.sent_ns), ANSWERED: Stamp(one.ns)}
            open_[key] = line
            lines.append(line)
            continue
        found = by_uid.get((one.cluster, one.uid))
        if found is None:
            found = open_.pop(key, None)
            if found is None:
                found = Lifeline(one.trial, *key)
                lines.append(found)
            found.uid = one.uid
            by_uid[one.cluster, one.uid] = found
        found.marks.setdefault(one.mark, Stamp(one.ns, one.server, listed=one.listed, gap=one.gap))
    return [*lines, *_absent(lines, recorded)]


def _absent(lines: Sequence[Lifeline], recorded: Recorded) -> Iterator[Lifeline]:
    """Lines without a mark for what was expected and did not come."""
    wanted: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for one in recorded.expected:
        wanted[one.trial, one.resource, one.cluster] += one.count
    there: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        there.update({(line.trial, line.resource, line.cluster), (line.trial, line.resource, "")})
    for (trial, resource, cluster), count in wanted.items():
        for _ in range(count - there[trial, resource, cluster]):
            yield Lifeline(trial, cluster, resource)


def samples(lines: Iterable[Lifeline], stages: Sequence[Stage], recorded: Recorded) -> list[Sample]:
    """A sample per stage of each line that it is about, in the order of the lines; those without an end are missing."""
    plans = {plan.trial: plan for plan in recorded.trials}
    later = sorted(plan.ns for plan in recorded.trials)
    downs = Downs()
    for state in recorded.states:
        downs.mark(state.cluster, state.state, state.ns)
    made = []
    for line in lines:
        plan = plans.get(line.trial)
        if plan is None:  # an object that belongs to no trial
            continue
        until = next((ns for ns in later if ns > plan.ns), None)
        made += [_sample(line, stage, plan, downs, until) for stage in stages if _about(stage, line)]
    return made


def _about(stage: Stage, line: Lifeline) -> bool:
    if stage.resource:
        return stage.resource == line.resource and (stage.begin in line.marks or not stage.optional)
    return stage.begin in line.marks


def _sample(line: Lifeline, stage: Stage, plan: TrialPlan, downs: Downs, until: int | None) -> Sample:
    start, end = line.marks.get(stage.begin), line.marks.get(stage.end)
    return own_sample(
        plan,
        stage.name,
        (None if start is None else start.ns, None if start is None or end is None else end.ns),
        kind=line.resource.partition(".")[0],
        namespace=line.namespace,
        name=line.name,
        cluster=line.cluster,
        flags=_flags(line, start, end, plan, downs, until),
    )


def _flags(  # noqa: PLR0917 - what a flag may come from
    line: Lifeline, start: Stamp | None, end: Stamp | None, plan: TrialPlan, downs: Downs, until: int | None
) -> Iterator[Flag]:
    for one in (start, end):
        if one is not None and one.listed:
            yield "listed"
        if one is not None and one.gap:
            yield "gap"
    began = plan.ns if start is None else start.ns
    if downs.spans and downs.overlap([line.cluster], began, until if end is None else end.ns):
        yield "cluster-down"
