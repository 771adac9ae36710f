"""The report's sections: the life of VMIs in five parts, then kwok's pace and KubeVirt's own form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleet.analysis.five_parts import Part
from fleet.analysis.node_spread import placed
from fleet.analysis.program_table import heap_series
from fleet.analysis.study import Study
from fleet.experiments.kubevirt_density import marks, upstream
from fleet.report import plots
from fleet.report.figures import Drawing
from fleet.report.five_parts import Content, five_parts
from fleet.report.sections import Section
from fleet.report.tables import data_table
from fleet.report.time_marks import time_marks

PUBLISHED = (
    "The published figures are of 100 VMIs on real nodes of KubeVirt's CI: another machine, kubelets that start"
    " containers, and a tenth of the VMIs."
)
PACE = (
    "kwok plays kubelets and virt-handler with no delay, as KubeVirt's test has it: what these phases take is how late"
    " kwok was, not KubeVirt. Its CPU is in the table of programs (kwok, kwok-kubevirt)."
)

FAULTS = "Faults were part of the run: see what disturbed it."
NO_FAULTS = "No fault was part of this run (`during`): the table has how soon a VM says that its VMI runs."


def sections(study: Study) -> Iterator[Section]:
    """As every experiment's."""
    known = {table.name: table for table in study.own.tables}
    if "upstream" in known:
        edges = ", ".join(f"{edge:g}" for edge in upstream.EDGES)
        measured = (
            "KubeVirt's own names. `measured` is from watch receipt, to the millisecond; `by its histogram` is what its"
            f" metric gives over the same time: its stamps have whole seconds and its edges are {edges} s."
        )
        lines = [measured, PUBLISHED]
        yield Section("upstream", known["upstream"].title, lines, data_table(known["upstream"]))
    yield from five_parts(study, _parts(study))
    if "simulated" in known:
        yield Section("kwok", "kwok's pace: no delay was set", [PACE], data_table(known["simulated"]))


def _parts(study: Study) -> Mapping[Part, Content]:
    told = FAULTS if study.run.spec.during else NO_FAULTS
    return {
        "creation": Content(tables=("creation", "webhooks")),
        "scheduling": Content(tables=("scheduling", "spread"), figures=list(_spread(study))),
        "management": Content(tables=("requests", "agents", "programs"), figures=list(_heap(study))),
        "monitoring": Content(lines=(told,), tables=("monitoring",)),
        "clean-up": Content(tables=("cleaning",)),
    }


def _heap(study: Study) -> Iterator[Drawing]:
    recorded, first = study.recorded, study.recorded.first_ns
    heap = heap_series(recorded.metrics, first)
    over_run = time_marks(recorded, study.disturbances)
    if heap:
        yield Drawing(plots.over_time(heap, over_run, "MiB", "heap"), "Heap over the run", over_run.caption)


def _spread(study: Study) -> Iterator[Drawing]:
    found = placed(study.recorded, marks.POD, marks.BOUND)
    counts = {trial: sorted(nodes.values(), reverse=True) for trial, nodes in found.items() if nodes}
    if counts:
        yield Drawing(plots.per_node(counts, "nodes"), "VMIs per node", "A line per trial, the fullest node first.")
