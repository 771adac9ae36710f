"""The sections of a report of watch-scaling: limits, delivery and memory drawn, cost of a watch, every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.line_fit import fit_line
from fleet.analysis.study import Study
from fleet.experiments.watch_scaling.analysis import KIB, MIB, memory
from fleet.experiments.watch_scaling.steps import Series, series
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.svg import MUTED, SERIES, figure, inline, plain_log
from fleet.report.tables import data_table

WIDE, HIGH = 4.6, 3.6
SHOWN = 8
"""Lines of a drawing: as many as there are colours."""


def sections(study: Study) -> Iterator[Section]:
    """As far as the run has them."""
    tables = {table.name: table for table in study.own.tables}
    found = series(study.recorded, study.folder)
    if "limits" in tables:
        lines = [
            (
                "A delivery is one change seen by one watch: from the send of the change to its line at the client. A"
                " series ends at the first step whose p99 passes the limit, or in which a watch is thrown off or"
                " refused."
            ),
            (
                "Spread is from the first line of a change at any watch to each of its lines: the part that many"
                " watches cost, whatever the write took."
            ),
            (
                "The client's ceiling is what it held against a server that only streams, on this machine with the same"
                " protocol, rate and sharing of connections."
            ),
        ]
        drawn = [one for one in (_delivery(found), _memory(found)) if one is not None]
        yield Section("limits", tables["limits"].title, lines, data_table(tables["limits"]), drawn)
    if "costs" in tables:
        lines = [
            (
                "The slope of a straight line over the steps within the limits, with Student's 95 % interval. Memory is"
                " proportional (PSS) and holds what the garbage collector has not given back."
            )
        ]
        yield Section("costs", tables["costs"].title, lines, data_table(tables["costs"]))
    if "steps" in tables:
        lines = [
            (
                "Received, late and never came are of the client; thrown off by its count and events of its watch"
                " cache are what the API server counted in the window. p99 is of all deliveries that had to"
                " come."
            )
        ]
        yield Section("steps", tables["steps"].title, lines, data_table(tables["steps"]))


def _delivery(found: Sequence[Series]) -> Drawing | None:
    lines = {
        one.plan.point: points
        for one in found
        if (points := [(step.told.watches, step.told.p99) for step in one.steps if step.told.p99 is not None])
    }
    if not lines:
        return None
    with figure(WIDE, HIGH) as (made, axes):
        for (label, points), colour in zip(list(lines.items())[:SHOWN], SERIES, strict=False):
            axes.plot([x for x, _ in points], [y for _, y in points], marker="o", markersize=3, linewidth=1.2,
                      color=colour, label=_short(label))  # fmt: skip
        axes.axhline(1000, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        plain_log(axes.xaxis, axes.set_xscale)
        plain_log(axes.yaxis, axes.set_yscale)
        axes.set_xlabel("watches")
        axes.set_ylabel("delivery p99, ms")
        made.legend(loc="outside upper left", ncols=1)
        svg = inline(made, "watch-delivery")
    return Drawing(svg, "Delivery against watches", "99th percentile of every step; both axes are logarithmic.")


def _memory(found: Sequence[Series]) -> Drawing | None:
    lines = {one.plan.point: points for one in found if not one.of_client and (points := memory(one))}
    if not lines:
        return None
    with figure(WIDE, HIGH) as (made, axes):
        for (label, points), colour in zip(list(lines.items())[:SHOWN], SERIES, strict=False):
            axes.plot([x for x, _ in points], [y / MIB for _, y in points], linestyle="", marker="o", markersize=3,
                      color=colour, label=_short(label))  # fmt: skip
            line = fit_line(points)
            if line is not None:
                ends = (points[0][0], points[-1][0])
                axes.plot(ends, [line.at(x) / MIB for x in ends], color=colour, linewidth=1.0)
        axes.set_xlim(left=0)
        axes.set_xlabel("watches")
        axes.set_ylabel("MiB (PSS)")
        made.legend(loc="outside upper left", ncols=1)
        svg = inline(made, "watch-memory")
    fits = [line for points in lines.values() if (line := fit_line(points)) is not None]
    each = ", ".join(f"{line.slope / KIB:.0f}" for line in fits)
    return Drawing(
        svg, "Memory of the API server", f"Steps within the limits. KiB per watch, by series: {each or '-'}."
    )


def _short(point: str) -> str:
    return " ".join(part.partition("=")[2] for part in point.split() if not part.startswith("per_connection"))
