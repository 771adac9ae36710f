"""The report's sections: both phases, upstream's assertions, then the life of pods and nodes in five parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.analysis.five_parts import Part
from fleet.analysis.program_table import heap_series
from fleet.analysis.study import Study
from fleet.experiments.karpenter_scale import packing
from fleet.experiments.karpenter_scale.decisions import decision_series
from fleet.report import plots
from fleet.report.figures import Drawing
from fleet.report.five_parts import Content, five_parts
from fleet.report.sections import Section
from fleet.report.tables import data_table
from fleet.report.time_marks import time_marks

PHASES = (
    "`all Running` is from the first request to the last pod's Running, `over` from the change to the last pod or"
    " node that moved for it, without the quiet time that proves it. Upstream's suite polls, and three minutes in which"
    " nothing is drained are part of its consolidation. Shares are means over the nodes of what pods reserve of each."
)
ASSERTED = (
    "Limits of Karpenter's test/suites/performance, whose CI has more machines. Here Karpenter shares one with API"
    " server, etcd and the simulator, so limits of time are harder to meet."
)
OWN = "Its histograms have edges up to 600 s; creation stamps, from which one of them counts, have whole seconds."
PACE = (
    "kwok plays kubelets with no delay: what this phase takes is how late it was, not Karpenter. Its CPU is in the"
    " table of programs."
)
FAULTS = "Faults were part of the run: see what disturbed it."
NO_FAULTS = "No fault was part of this run (`during`)."
DRIFT = "A node that differs from its NodePool is a change that Karpenter must see: the table has how soon it decides."


def sections(study: Study) -> Iterator[Section]:
    """As every experiment's."""
    known = {table.name: table for table in study.own.tables}
    if "outcome" in known:
        table = known["outcome"]
        yield Section("outcome", table.title, [PHASES], data_table(table), list(_packing(study)))
    if "change" in known:
        yield Section("change", known["change"].title, (), data_table(known["change"]))
    if "upstream" in known:
        yield Section("upstream", known["upstream"].title, [ASSERTED], data_table(known["upstream"]))
    yield from five_parts(study, _parts(study))
    if "own-latencies" in known:
        table = known["own-latencies"]
        yield Section("own-latencies", table.title, [OWN], data_table(table))
    if "simulated" in known:
        yield Section("kwok", "kwok's pace: no delay was set", [PACE], data_table(known["simulated"]))


def _parts(study: Study) -> Mapping[Part, Content]:
    told = [FAULTS if study.run.spec.during else NO_FAULTS]
    told += [DRIFT for table in study.own.tables if table.name == "monitoring"]
    return {
        "creation": Content(tables=("creation",)),
        "scheduling": Content(tables=("scheduling",)),
        "management": Content(
            tables=("decisions", "requests", "agents", "programs"), figures=[*_decisions(study), *_heap(study)]
        ),
        "monitoring": Content(lines=told, tables=("monitoring",)),
        "clean-up": Content(tables=("cleaning",)),
    }


def _packing(study: Study) -> Iterator[Drawing]:
    recorded, over_run = study.recorded, time_marks(study.recorded, study.disturbances)
    first = recorded.first_ns
    found = [level for plan in recorded.trials for level in packing.levels(recorded, plan.trial)]
    if not found:
        return
    moments = [(level.ns - first) / 1e9 for level in found]
    end = (recorded.last_ns - first) / 1e9
    shares = {
        "CPU": _stepped([(at, 100 * level.cpu) for at, level in zip(moments, found, strict=True)], end),
        "memory": _stepped([(at, 100 * level.memory) for at, level in zip(moments, found, strict=True)], end),
    }
    nodes = {"nodes": _stepped([(at, float(level.nodes)) for at, level in zip(moments, found, strict=True)], end)}
    text = "Reserved by pods, of all that the nodes offer"
    yield Drawing(plots.over_time(shares, over_run, "% reserved", "packing"), text, over_run.caption)
    yield Drawing(plots.over_time(nodes, over_run, "nodes", "nodes"), "Nodes that Karpenter made", over_run.caption)


def _stepped(points: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """What was written when it changed, drawn as what it was: each value until the next, the last one until the end."""
    made: list[tuple[float, float]] = []
    for at, value in points:
        made += [(at, made[-1][1]), (at, value)] if made else [(at, value)]
    return [*made, (end, made[-1][1])] if made else made


def _decisions(study: Study) -> Iterator[Drawing]:
    recorded = study.recorded
    end, over_run = (recorded.last_ns - recorded.first_ns) / 1e9, time_marks(recorded, study.disturbances)
    found = decision_series(recorded.metrics, recorded.first_ns)
    if counted := {label: _stepped(points, end) for label, points in found.items()}:
        text = "NodeClaims so far, by Karpenter's counters"
        yield Drawing(plots.over_time(counted, over_run, "NodeClaims", "decisions"), text, over_run.caption)


def _heap(study: Study) -> Iterator[Drawing]:
    recorded = study.recorded
    heap, over_run = heap_series(recorded.metrics, recorded.first_ns), time_marks(recorded, study.disturbances)
    if heap:
        yield Drawing(plots.over_time(heap, over_run, "MiB", "heap"), "Heap over the run", over_run.caption)
