"""The report's sections: what each set adds, drawn; latencies next to Kyverno's own; errors, webhooks, programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleet.analysis.findings import DataTable, Value
from fleet.analysis.program_table import heap_series
from fleet.analysis.study import Study
from fleet.experiments.admission_latency import upstream
from fleet.experiments.admission_latency.analysis import FEWEST
from fleet.experiments.admission_latency.sets import SETS
from fleet.report import plots
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.svg import MUTED, SERIES, figure, inline
from fleet.report.tables import data_table
from fleet.report.time_marks import time_marks

WIDE, ROW, EDGE = 4.6, 0.4, 1.2
"""Inches of a drawing: its width, each set's line, what is around them."""
MEAN_AT = 3
"""Place of the mean in the table `added`; its interval follows."""

ADDED = (
    "Each policy set was measured right after a baseline without policies, pair after pair. A figure is the statistic"
    " of all its requests less that of its baselines; low and high are the 95 % interval, from drawing pairs again and"
    " blocks of consecutive requests within each trial. An interval that holds 0: no effect was seen."
)
LATENCIES = (
    "From the moment when a request was due (of closed clients: sent) to its answer at the load client, requests that"
    " created a pod alone. The client's CPU is its share of this machine."
)
UPSTREAM = (
    f"Its figures: {upstream.WHERE}. Ours come from one machine that also runs API server, etcd, Kyverno and the load"
    " client, and pods that name their node, so that nothing schedules them. Compare what policies add, not the times."
)
ERRORS = "Classes are those of the load client; a set that failed to act ended the run before it was measured."
WEBHOOKS = (
    "Calls and latency as the API server counts them. A baseline and the API server's own policies have no row: nobody"
    " is called."
)
REQUESTS = (
    "The row `kube-apiserver` counts all clients together; those of Kyverno's controllers are what each counts itself"
    f" (in place of a code: which of its clients). Rows of {FEWEST:g} per pod or more; the events have all."
)
PROGRAMS = "From the first request of a trial until its pods and Kyverno's reports about them were gone."


def sections(study: Study) -> Iterator[Section]:
    """As far as the run has them."""
    known = {table.name: table for table in study.own.tables}
    for name, line, figures in (
        ("added", ADDED, _added(known.get("added"))),
        ("latencies", _sets_line(), ()),
        ("upstream", UPSTREAM, ()),
        ("errors", ERRORS, ()),
        ("webhooks", WEBHOOKS, ()),
        ("requests", REQUESTS, ()),
        ("agents", f"From the API server's audit log; rows of {FEWEST:g} per pod or more, the events have all.", ()),
        ("programs", PROGRAMS, list(_heap(study))),
    ):
        if name in known:
            yield Section(name, known[name].title, [line], data_table(known[name]), figures)


def _sets_line() -> str:
    return f"{LATENCIES} Sets: " + "; ".join(f"{one.name}: {one.text}" for one in SETS.values()) + "."


def _added(table: DataTable | None) -> Sequence[Drawing]:
    """The mean of each set with its interval, a panel of lines per load."""
    if table is None or not table.rows:
        return ()
    by_load: dict[str, list[list[Value]]] = {}
    for row in table.rows:
        by_load.setdefault(str(row[0]), []).append(row)
    names = list(dict.fromkeys(str(row[1]) for row in table.rows))
    with figure(WIDE, EDGE + ROW * len(names) * len(by_load) ** 0.5) as (made, axes):
        for number, ((load, rows), colour) in enumerate(zip(by_load.items(), SERIES, strict=False)):
            shift = (number - (len(by_load) - 1) / 2) * 0.7 / max(1, len(by_load))
            heights = [names.index(str(row[1])) + shift for row in rows]
            mean, low, high = (_numbers(rows, MEAN_AT + at) for at in range(3))
            around = [[m - a for m, a in zip(mean, low, strict=True)], [b - m for m, b in zip(mean, high, strict=True)]]
            axes.errorbar(mean, heights, xerr=around, fmt="o", markersize=4, capsize=2, color=colour, label=load)
        axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("ms added to the mean")
        made.legend(loc="outside upper left", ncols=len(by_load))
        svg = inline(made, "added")
    return (Drawing(svg, "Added latency", "Mean of all create requests less its baselines'; bars: 95 % interval."),)


def _numbers(rows: Sequence[Sequence[Value]], at: int) -> list[float]:
    return [float(row[at] or 0.0) for row in rows]


def _heap(study: Study) -> Iterator[Drawing]:
    recorded = study.recorded
    heap: Mapping[str, list[tuple[float, float]]] = heap_series(recorded.metrics, recorded.first_ns)
    over_run = time_marks(recorded, study.disturbances)
    if heap:
        yield Drawing(plots.over_time(heap, over_run, "MiB", "heap"), "Heap over the run", over_run.caption)
