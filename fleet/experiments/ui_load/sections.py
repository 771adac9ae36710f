"""The report's sections: opening a page, watch events, heap, programs; with what upstream says of its own test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.findings import DataTable, Value
from fleet.analysis.study import Study
from fleet.experiments.ui_load import upstream
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.svg import SERIES, figure, inline, plain_log
from fleet.report.tables import data_table

WIDE, HIGH = 4.6, 2.6
"""Inches of a drawing."""
LISTS = (
    "Headlamp's own compiled frontend (npm, real); the backend is a proxy of the testbed, or a headlamp-server of the"
    " user's. From the page being opened to React's commit with all that it lists. Times of several requests are added"
    " up; they overlap, and a browser sends six at a time. To a browser an API server writes JSON with line breaks and"
    " indents, by its user agent: about twice as much of it. The wire is what the proxy passed on, compressed where the"
    " API server did that."
)
EVENTS = (
    "Parse: from the receipt of a message to its being applied, mostly JSON. Apply: KubeList.applyUpdate, which"
    " copies and searches the whole list. Render: React, by its own profiler; a table shows once a second what"
    " came. CPU: of all processes of the client while it watched, less what it took at rest before, by the watch"
    " events that changed a list. Left out: events that were not newer than the list. In Node nothing is drawn."
)
HEAP = "After a collection: before the page, with everything that it lists, and after it was watched."
PROGRAMS = (
    "While pages were watched. The client's row is the process that runs the page; the table of watch events has all of"
    " its processes."
)
UPSTREAM = f"{upstream.WHERE} loads {upstream.LOAD}. It is judged {upstream.JUDGED}."


def sections(study: Study) -> Iterator[Section]:
    """As far as the run has them."""
    known = {table.name: table for table in study.own.tables}
    for name, lines, figures in (
        ("lists", [LISTS, UPSTREAM], _by_objects(known.get("lists"), "opened to drawn", "s", "Opening a page")),
        ("watch-events", [EVENTS], _by_objects(known.get("watch-events"), "apply", "ms", "Applying a watch event")),
        ("heap", [HEAP], _by_objects(known.get("heap"), "with the list", "MiB", "Heap")),
        ("programs", [PROGRAMS], ()),
    ):
        if name in known:
            yield Section(name, known[name].title, lines, data_table(known[name]), figures)


def _by_objects(table: DataTable | None, column: str, unit: str, title: str) -> Sequence[Drawing]:
    """A line per page and client over the numbers of objects, where there are several."""
    if table is None:
        return ()
    names = [one.name for one in table.columns]
    at = names.index(column)
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in table.rows:
        if row[at] is not None:
            lines.setdefault(f"{row[1]}, {row[2]}", []).append((_number(row[0]), _number(row[at])))
    if max((len({objects for objects, _ in points}) for points in lines.values()), default=0) < 2:  # noqa: PLR2004
        return ()
    with figure(WIDE, HIGH) as (made, axes):
        for (label, points), colour in zip(lines.items(), SERIES, strict=False):
            ordered = sorted(points)
            axes.plot([x for x, _ in ordered], [y for _, y in ordered], "o-", markersize=4, color=colour, label=label)
        plain_log(axes.xaxis, axes.set_xscale)
        plain_log(axes.yaxis, axes.set_yscale)
        axes.set_xlabel("objects")
        axes.set_ylabel(unit)
        made.legend(loc="outside upper left", ncols=2)
        svg = inline(made, table.name)
    return (Drawing(svg, title, "Both axes are logarithmic: a straight line at 45 degrees grows as the objects do."),)


def _number(value: Value) -> float:
    return float(value or 0.0)
