"""Both phases of each trial: how long they took, how many nodes there were, how full, what Karpenter took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fleet.analysis.counters import Span, spans
from fleet.analysis.findings import Assertion, DataColumn, DataTable, Value
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample, own_sample
from fleet.analysis.stats import quantile
from fleet.experiments.karpenter_scale import marks, packing
from fleet.experiments.karpenter_scale.scenarios import (
    POINT,
    SCENARIOS,
    Asserted,
    Scenario,
    change_stage,
    scale_out_stage,
    scaled,
)
from fleet.observe.marks import CREATED, DELETED
from fleet.platforms.karpenter import names
from fleet.results.events import MarkSeen, TrialPlan

MB = 1e6


@dataclass(frozen=True)
class Taken:
    """What Karpenter took in one phase; None where it was not measured."""

    resident: float | None
    """P95 of its resident memory, MB."""
    cores: float | None
    """Mean."""


@dataclass(frozen=True)
class Phase:
    """One of the two phases of a trial."""

    stage: str
    begin_ns: int
    end_ns: int | None
    """When its last change was seen; None: it did not come to its end."""
    level: packing.Level | None
    """Of the nodes when it was over."""
    taken: Taken
    asserted: Asserted
    protected: int = 0
    """Pods that must not be disrupted and went in it."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.end_ns is None else (self.end_ns - self.begin_ns) / 1e9


@dataclass(frozen=True)
class Outcome:
    """One counted trial."""

    plan: TrialPlan
    scenario: Scenario
    scale_out: Phase
    change: Phase | None
    """None where it never began."""
    made_seconds: float | None
    """Until the last pod was created: how fast kube-controller-manager makes them."""
    added: int
    removed: int
    """NodeClaims that came and went in the second."""
    evicted: int
    """Pods that went in it beyond those that were no longer wanted."""

    @property
    def phases(self) -> list[Phase]:
        """Those that there were."""
        return [phase for phase in (self.scale_out, self.change) if phase is not None]


def outcomes(recorded: Recorded, share: float) -> list[Outcome]:
    """Of every counted trial whose first phase was recorded."""
    first, second = spans(recorded, marks.SCALE_OUT), spans(recorded, marks.CHANGE)
    return [
        _outcome(recorded, plan, scaled(scenario, share), first[plan.trial], second.get(plan.trial))
        for plan in recorded.trials
        for scenario in SCENARIOS.values()
        if plan.trial in first and plan.point == f"{POINT}{scenario.name}"
    ]


def _outcome(recorded: Recorded, plan: TrialPlan, scenario: Scenario, first: Span, second: Span | None) -> Outcome:
    seen = [one for one in recorded.seen if one.trial == plan.trial]
    levels = packing.levels(recorded, plan.trial)
    running, made = (_nth(seen, mark, scenario.pods) for mark in (marks.RUNNING, CREATED))
    scale_out = _phase(recorded, plan, scale_out_stage(scenario.name), first, running, levels, scenario.scale_out)
    change, came, went, pods = None, 0, 0, 0
    if second is not None:
        settled = any(one.name == marks.SETTLED and one.trial == plan.trial for one in recorded.measured)
        last = max((one.ns for one in seen if second[0] < one.ns <= second[1] and _moves(one)), default=None)
        stage, end = change_stage(scenario.name), last if settled else None
        kept = tuple(f"{plan.trial}-{load.name}-" for load in scenario.loads if load.protected)
        protected = [one for one in seen if one.resource == marks.POD and one.name.startswith(kept)] if kept else []
        change = replace(
            _phase(recorded, plan, stage, second, end, levels, scenario.changed),
            protected=_count(protected, marks.POD, DELETED, second),
        )
        came, went = (_count(seen, marks.CLAIM, mark, second) for mark in (CREATED, DELETED))
        pods = _count(seen, marks.POD, DELETED, second)
    return Outcome(
        plan,
        scenario,
        scale_out,
        change,
        None if made is None else (made - first[0]) / 1e9,
        came,
        went,
        max(0, pods - (scenario.pods - scenario.left)),
    )


def _moves(one: MarkSeen) -> bool:
    """It changed where pods are, or which nodes there are."""
    wanted = (marks.RUNNING, DELETED) if one.resource == marks.POD else (marks.INITIALIZED, DELETED)
    return one.mark in wanted


def _nth(seen: Sequence[MarkSeen], mark: str, count: int) -> int | None:
    """When so many pods had reached a mark."""
    moments = sorted(one.ns for one in seen if (one.resource, one.mark) == (marks.POD, mark))
    return moments[count - 1] if len(moments) >= count else None


def _count(seen: Sequence[MarkSeen], resource: str, mark: str, span: Span) -> int:
    return sum((one.resource, one.mark) == (resource, mark) and span[0] < one.ns <= span[1] for one in seen)


def _phase(  # noqa: PLR0917 - what a phase is
    recorded: Recorded,
    plan: TrialPlan,
    stage: str,
    span: Span,
    end: int | None,
    levels: Sequence[packing.Level],
    asserted: Asserted,
) -> Phase:
    level = packing.at(levels, span[1] if end is None else end)
    return Phase(stage, span[0], end, level, _taken(recorded, f"{names.CONTROLLER}.{plan.clusters[0]}", span), asserted)


def _taken(recorded: Recorded, program: str, span: Span) -> Taken:
    """From the samples of its process within the phase."""
    mine = [one for one in recorded.processes if one.program == program and span[0] <= one.ns <= span[1]]
    if len(mine) < 2 or mine[0].pid != mine[-1].pid:  # noqa: PLR2004
        return Taken(quantile(sorted(one.rss / MB for one in mine), 0.95) if mine else None, None)
    seconds = (mine[-1].ns - mine[0].ns) / 1e9
    cores = (mine[-1].cpu_seconds - mine[0].cpu_seconds) / seconds
    return Taken(quantile(sorted(one.rss / MB for one in mine), 0.95), cores)


def phase_samples(found: Sequence[Outcome]) -> Iterator[Sample]:
    """Each phase as a latency, so that percentiles, thresholds and comparisons work on it."""
    for outcome in found:
        plan = outcome.plan
        for phase in outcome.phases:
            ends = (phase.begin_ns, phase.end_ns)
            name, cluster = outcome.scenario.name, plan.clusters[0]
            yield own_sample(plan, phase.stage, ends, kind="scenario", name=name, cluster=cluster)


def outcome_table(found: Sequence[Outcome]) -> DataTable:
    """The first phase of each counted trial; shares are means over the nodes, as upstream has them."""
    heads = (
        ("point", ""), ("trial", ""), ("pods", ""), ("all created", "s"), ("all Running", "s"), ("nodes", ""),
        ("CPU reserved", "%"), ("memory reserved", "%"),
    )  # fmt: skip
    rows: list[list[Value]] = [
        [one.plan.point, one.plan.trial, one.scenario.pods, one.made_seconds, one.scale_out.seconds,
         *_full(one.scale_out.level)]
        for one in found
    ]  # fmt: skip
    return _table("outcome", "Scale-out", heads, rows)


def change_table(found: Sequence[Outcome]) -> DataTable:
    """The second phase, in the same way."""
    heads = (
        ("point", ""), ("trial", ""), ("what", ""), ("pods", ""), ("over", "s"), ("nodes", ""), ("CPU reserved", "%"),
        ("memory reserved", "%"), ("nodes added", ""), ("nodes removed", ""), ("pods moved", ""),
    )  # fmt: skip
    rows: list[list[Value]] = [
        [one.plan.point, one.plan.trial, one.scenario.change, one.scenario.left, one.change.seconds,
         *_full(one.change.level), one.added, one.removed, one.evicted]
        for one in found
        if one.change is not None
    ]  # fmt: skip
    return _table("change", "Consolidation and drift", heads, rows)


def _table(name: str, title: str, heads: Sequence[tuple[str, str]], rows: list[list[Value]]) -> DataTable:
    columns = [DataColumn(name=head, unit=unit) for head, unit in heads]
    return DataTable(name=name, title=title, columns=columns, rows=rows)


def _full(level: packing.Level | None) -> list[Value]:
    """Nodes, percent of CPU, percent of memory."""
    return [None, None, None] if level is None else [level.nodes, 100 * level.node_cpu, 100 * level.node_memory]


@dataclass(frozen=True)
class Judged:
    """One of upstream's assertions against what was measured."""

    phase: Phase
    point: str
    what: str
    unit: str
    measured: float | None
    sign: str
    limit: float

    @property
    def holds(self) -> bool:
        """Whether it was measured and is on the right side."""
        if self.measured is None:
            return False
        return self.measured < self.limit if self.sign == "<" else self.measured > self.limit

    @property
    def value(self) -> str:
        """What was measured, with its unit."""
        return "not measured" if self.measured is None else f"{self.measured:.4g} {self.unit}"

    @property
    def assertion(self) -> Assertion:
        """As the verdict takes it."""
        why = "it was not measured" if self.measured is None else f"it is {self.value}"
        test = f"{self.what} {self.sign} {self.limit:g} {self.unit}"
        return Assertion(self.phase.stage, test, self.point, "" if self.holds else why)


def judged(found: Sequence[Outcome]) -> list[Judged]:
    """All of them, of each counted trial."""
    return [one for outcome in found for phase in outcome.phases for one in _of_phase(phase, outcome.plan.point)]


def _of_phase(phase: Phase, point: str) -> Iterator[Judged]:
    level, asserted, taken = phase.level, phase.asserted, phase.taken
    percent = (None, None) if level is None else (100 * level.node_cpu, 100 * level.node_memory)
    limits = (
        ("time", "s", phase.seconds, "<", asserted.seconds),
        ("CPU reserved", "%", percent[0], ">", None if asserted.cpu is None else 100 * asserted.cpu),
        ("memory reserved", "%", percent[1], ">", None if asserted.memory is None else 100 * asserted.memory),
        ("Karpenter's memory, P95", "MB", taken.resident, "<", asserted.resident),
        ("Karpenter's CPU", "cores", taken.cores, "<", asserted.cores),
        ("protected pods disrupted", "pods", float(phase.protected), "<", asserted.protected),
    )
    for what, unit, measured, sign, limit in limits:
        if limit is not None:
            yield Judged(phase, point, what, unit, measured, sign, limit)


def assertion_table(found: Sequence[Judged], *, whole: bool) -> DataTable:
    """`whole`: the trials have upstream's size, so that its limits can be judged."""
    rows: list[list[Value]] = [
        [one.point, one.phase.stage, one.what, one.unit, one.measured, f"{one.sign} {one.limit:g}", _word(one, whole)]
        for one in found
    ]
    heads = ("point", "phase", "what", "unit", "measured", "upstream asserts", "holds")
    return DataTable(
        name="upstream", title="What upstream's suite asserts", columns=[DataColumn(name=h) for h in heads], rows=rows
    )


def _word(one: Judged, whole: bool) -> str:
    if not whole:
        return "not judged: another size"
    return "yes" if one.holds else "no"
