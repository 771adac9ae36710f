"""The sections of a report of node-scaling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fleet.analysis.study import Study
from fleet.experiments.node_scaling.analysis import CPU, MIB, PSS, STATES, Step, steps
from fleet.experiments.node_scaling.limits import LEASE_P99, POD_START_P99
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.svg import SERIES, figure, inline
from fleet.report.tables import data_table

WIDE, HIGH = 4.6, 3.4


def sections(study: Study) -> Iterator[Section]:
    """As far as the run has them."""
    tables, windows = {table.name: table for table in study.own.tables}, steps(study.recorded)
    if "limits" in tables:
        lines = [
            (
                "Each step has so many nodes of one simulator: a window at rest, then pods on all of them, then a"
                " window with the pods. The growth ends at the first limit that nodes at rest pass, or when its"
                " budget is over; once a limit is passed with pods, nodes at rest alone go on."
            ),
            (
                "Leases are late when the 99th percentile from one renewal to the next is above the file's limit; the"
                " latencies of requests are the API server's own (apiserver_request_sli_duration_seconds, all"
                " resources together), where a window had 100 of a kind."
            ),
        ]
        drawn = [
            _drawn(windows, lambda one: one.values.get(POD_START_P99), "Pod start, p99", "seconds", "pod-start"),
            _drawn(windows, lambda one: one.values.get(LEASE_P99), "Lease renewals, p99", "seconds", "leases"),
            _drawn(windows, lambda one: one.total(PSS) / MIB, "Memory of all programs", "MiB (PSS)", "memory"),
            _drawn(windows, lambda one: one.total(CPU), "CPU of all programs", "cores", "cpu"),
        ]
        yield Section("limits", tables["limits"].title, lines, data_table(tables["limits"]), [d for d in drawn if d])
    if "costs" in tables:
        told = "The slope of a straight line over the steps, with Student's 95 % interval; of three steps or more."
        yield Section("costs", tables["costs"].title, [told], data_table(tables["costs"]))
    if "steps" in tables:
        yield Section("steps", tables["steps"].title, (), data_table(tables["steps"]))


def _drawn(
    windows: Sequence[Step], value: Callable[[Step], float | None], title: str, unit: str, name: str
) -> Drawing | None:
    """One quantity against the nodes, a line per simulator and state."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for one in windows:
        found = value(one)
        if found is not None:
            lines.setdefault(f"{one.simulator} {STATES[one.window]}", []).append((one.nodes, found))
    if not lines:
        return None
    with figure(WIDE, HIGH) as (made, axes):
        for (label, points), colour in zip(lines.items(), SERIES, strict=False):
            points.sort()
            axes.plot([x for x, _ in points], [y for _, y in points], marker="o", markersize=3, linewidth=1.2,
                      color=colour, label=label)  # fmt: skip
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("nodes")
        axes.set_ylabel(unit)
        made.legend(loc="outside upper left", ncols=2)
        svg = inline(made, f"nodes-{name}")
    return Drawing(svg, title, "Against the number of nodes; a mark per window.")
