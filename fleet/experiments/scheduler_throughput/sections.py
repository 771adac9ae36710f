"""The report's sections: rates and what limits them, drawn; then the life of pods in five parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.analysis.five_parts import Part
from fleet.analysis.node_spread import placed
from fleet.analysis.program_table import heap_series
from fleet.analysis.study import Study
from fleet.experiments.scheduler_throughput import marks
from fleet.experiments.scheduler_throughput.throughput import (
    BUSY_SHARE,
    CYCLE_SHARE,
    LIMIT_SHARE,
    OFFER_SHARE,
    REFUSED_SHARE,
    Throughput,
    throughputs,
)
from fleet.model.pod_marks import SCHEDULED
from fleet.report import plots
from fleet.report.figures import Drawing
from fleet.report.five_parts import Content, five_parts
from fleet.report.sections import Section
from fleet.report.svg import MUTED, SERIES, figure, inline
from fleet.report.svg import named as of_series
from fleet.report.tables import data_table
from fleet.report.time_marks import time_marks

HIGH = 3.6
POINTS = 300
HELD = (
    "All pods were there before the scheduler was started, so that nothing but the scheduler, and what it needs of the"
    " API server, sets the pace. `To the first` is its start."
)
LIVE = "The scheduler ran while the pods were created: where it is faster than that, their creation sets the pace."
PREDICTED = (
    "`Predicted` is what the client's limit alone makes of the time from the first bound pod to the last: (pods -"
    " burst) / qps, since one request binds one pod; empty where the burst covers all pods. `Difference` is of what was"
    " measured from that."
)
RULES = (
    f"`Limited by`, in this order: the client's limit from {LIMIT_SHARE:.0%} of it on; creation from {OFFER_SHARE:.0%}"
    f" of its rate on, where the scheduler ran meanwhile; the scheduling cycle, which takes one pod after another, when"
    f" it worked {CYCLE_SHARE:.0%} of the time or more; the API server, when it answered 429 to binds, from"
    f" {REFUSED_SHARE:.0%} of the pods on; CPU from {BUSY_SHARE:.0%} of the machine's on."
)
PUBLISHED = (
    "The published figures are of 5,000 pods of Deployments, created while the scheduler ran, on another machine; 50.5"
    " a second in all three forms is the default limit of kube-scheduler's client."
)
OWN = (
    "kube-scheduler's own metrics, from its start to the last bound pod. An attempt holds the binding, of which several"
    " go on at once; the cycle takes one pod after another. Edges of its histogram are powers of two of a millisecond."
)

LIMIT_ALONE = "Dotted: what the client's limit alone allows."


def sections(study: Study) -> Iterator[Section]:
    """As every experiment's."""
    known = {table.name: table for table in study.own.tables}
    spec = {field: study.run.spec.own(field) for field in ("schedulers", "pods", "start")}
    each = list(throughputs(study.recorded, spec))
    if "throughput" in known:
        lines = [LIVE if spec["start"] == "before" else HELD, PREDICTED, RULES]
        yield Section(
            "throughput", known["throughput"].title, lines, data_table(known["throughput"]), list(_drawn(each))
        )
    if "limits" in known:
        yield Section("limits", known["limits"].title, [], data_table(known["limits"]))
    if "upstream" in known:
        yield Section("upstream", known["upstream"].title, [PUBLISHED], data_table(known["upstream"]))
    yield from five_parts(study, _parts(study))


def _parts(study: Study) -> Mapping[Part, Content]:
    known = {table.name for table in study.own.tables}
    asked = () if "agents" in known else ("Requests by user agent: `fleet up -e platform_audit=true` with a platform.",)
    seconds = [
        (mark.ns, mark.edge) for mark in study.recorded.marks if mark.step == "delete" and mark.edge in ("begin", "end")
    ]
    took = [f"{(end[0] - begin[0]) / 1e9:.1f}" for begin, end in zip(seconds[::2], seconds[1::2], strict=False)]
    deleted = f"Pods were deleted in batches of 500, without a grace period; seconds by trial: {', '.join(took)}."
    return {
        "creation": Content(tables=("creation",)),
        "scheduling": Content(lines=(OWN,), tables=("scheduling", "attempts", "spread"), figures=list(_spread(study))),
        "management": Content(lines=asked, tables=("requests", "agents", "programs"), figures=list(_heap(study))),
        "monitoring": Content(
            lines=("How soon a bound pod is seen to be ready: what plays the nodes, not a scheduler.",),
            tables=("monitoring",),
        ),
        "clean-up": Content(lines=(deleted,)),
    }


def _drawn(each: Sequence[Throughput]) -> Iterator[Drawing]:
    """Bound pods over time, a drawing per load, a line per scheduler (its first counted trial)."""
    for load in dict.fromkeys(one.load for one in each):
        firsts: dict[str, Throughput] = {}
        for one in each:
            if one.load == load and one.bound_ns:
                firsts.setdefault(one.scheduler.name, one)
        if not firsts:
            continue
        with figure(plots.HALF, HIGH) as (made, axes):
            for (name, one), colour in zip(firsts.items(), SERIES, strict=False):
                step = max(1, one.bound // POINTS)
                moments = [*one.bound_ns[::step], one.bound_ns[-1]]
                counts = [*range(1, one.bound + 1, step), one.bound]
                (line,) = axes.plot(
                    [(ns - one.begin_ns) / 1e9 for ns in moments], counts, color=colour, linewidth=1.3, label=name
                )  # fmt: skip
                of_series(line, name)
                if one.predicted is not None and one.first is not None:
                    begin, burst = one.first, one.scheduler.burst
                    axes.plot([begin, begin, begin + one.predicted], [0, burst, one.pods], color=MUTED, linewidth=0.8,
                              linestyle=(0, (1, 2)))  # fmt: skip
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
            axes.set_xlabel("seconds since the scheduler was started")
            axes.set_ylabel("pods bound")
            made.legend(loc="outside upper left", ncols=3)
            svg = inline(made, f"bound-{load}")
        limited = any(one.predicted is not None for one in firsts.values())
        yield Drawing(svg, f"Pods bound over time: {load}", LIMIT_ALONE if limited else "")


def _heap(study: Study) -> Iterator[Drawing]:
    recorded = study.recorded
    heap = heap_series(recorded.metrics, recorded.first_ns)
    over_run = time_marks(recorded, study.disturbances)
    if heap:
        yield Drawing(plots.over_time(heap, over_run, "MiB", "heap"), "Heap over the run", over_run.caption)


def _spread(study: Study) -> Iterator[Drawing]:
    found = placed(study.recorded, marks.POD, SCHEDULED)
    names = {plan.trial: f"{plan.trial} {plan.point.rpartition('=')[2]}" for plan in study.recorded.trials}
    counts = {names[trial]: sorted(on.values(), reverse=True) for trial, on in found.items() if on}
    if counts:
        yield Drawing(plots.per_node(counts, "nodes"), "Pods per node", "A line per trial, the fullest node first.")
