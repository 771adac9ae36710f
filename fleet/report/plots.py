"""The drawings of the report: latency against WEC count, the stages' waterfall, distributions, limits, resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from fleet.analysis.prediction import Prediction
from fleet.analysis.setting import Setting, values
from fleet.analysis.summary import Row
from fleet.model.manager_record import FixedDelay
from fleet.report.svg import (
    GRID,
    INK,
    LAYOUT_COLOURS,
    MUTED,
    PAPER,
    SERIES,
    dots,
    explained,
    figure,
    inline,
    named,
)
from fleet.report.time_marks import TimeMarks, draw_marks
from fleet.report.waterfall import Waterfall

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = {"p50": ("-", "o"), "p90": ("--", "s"), "p99": ("-.", "D"), "max": (":", "^")}
_ECDF_POINTS = 150
_DOTS = 2000
"""Of one drawing: more cannot be distinguished, and the page is sent by mail."""
_LOW = 0.08
"""Share of an axis that a line of small text takes."""
WHOLE, HALF, THIRD = 9.4, 4.6, 3.2
"""Inches of a figure in one, two or three columns: text then has about the same size in all of them."""


def scaling(rows: Sequence[Row], stage: str, name: str, axis: str = "", fixed: FixedDelay | None = None) -> str:
    """One stage against the WEC count (or the number `axis` of the points), a line per layout and percentile.

    The band is the median's interval. Rows that differ in anything else have lines of their own. A line marks what is
    `fixed` of every latency.
    """
    with figure(HALF, 3.6) as (made, axes):
        counts = sorted({_along(row, axis) for row in rows if row.stage == stage})
        for layout, colour in LAYOUT_COLOURS.items():
            mine = [row for row in rows if (row.stage, row.layout) == (stage, layout) and row.count]
            for number, beside in enumerate(sorted({_beside(row, axis) for row in mine})):
                line = sorted((row for row in mine if _beside(row, axis) == beside), key=lambda row: _along(row, axis))
                _percentile_lines(axes, line, layout, colour, axis, labelled=number == 0)
        if fixed is not None:
            axes.axhline(fixed.seconds, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        _count_axis(axes, counts, axis)
        axes.set_ylabel("seconds since the object was created")
        axes.set_ylim(bottom=0)
        if fixed is not None:
            # No sample lies below the line; but where it is low, the ticks of the axis are there.
            below = axes.get_ylim()[1] * _LOW < fixed.seconds
            axes.annotate(
                f"{fixed.seconds:g} s {fixed.name}", (1, fixed.seconds), xycoords=("axes fraction", "data"),
                xytext=(0, -3 if below else 2), textcoords="offset points", ha="right", va="top" if below else "bottom",
                fontsize=7, color=MUTED,
            )  # fmt: skip
        made.legend(ncols=2, loc="outside upper left")
        return inline(made, name)


def _along(row: Row, axis: str) -> float:
    return values(row.point).get(axis, 0.0) if axis else float(row.wecs)


def _beside(row: Row, axis: str) -> tuple[float, ...]:
    return (row.wecs if axis else 0, *(value for name, value in values(row.point).items() if name != axis))


def _percentile_lines(axes: Axes, rows: Sequence[Row], layout: str, colour: str, axis: str, *, labelled: bool) -> None:
    wecs = [_along(row, axis) for row in rows]
    bands = [(_along(row, axis), row.p50_interval) for row in rows if row.p50_interval is not None]
    if len(bands) > 1:
        low = [band[0] for _, band in bands]
        high = [band[1] for _, band in bands]
        band = axes.fill_between([count for count, _ in bands], low, high, color=colour, alpha=0.15, linewidth=0)
        named(band, f"{layout} p50".lstrip())
    for percentile, (line, marker) in _LINES.items():
        heights = [getattr(row, percentile) for row in rows]
        if percentile == "p99" and not any(value is not None for value in heights):
            continue
        (drawn,) = axes.plot(
            wecs,
            [float("nan") if value is None else value for value in heights],
            linestyle=line,
            marker=marker,
            markersize=4,
            markerfacecolor=PAPER if layout == "one-to-many" else colour,
            linewidth=1.4,
            color=colour,
            label=f"{layout} {percentile}".lstrip() if labelled else None,
        )
        named(drawn, f"{layout} {percentile}".lstrip())


def _count_axis(axes: Axes, counts: Sequence[float], axis: str = "") -> None:
    axes.set_xlabel(axis or "WECs")
    if not counts:
        return
    top = max(counts)
    axes.set_xlim(0 if top > 1 else 0.5, top * 1.04 if top > 1 else 1.5)
    kept: list[float] = []
    for count in reversed(counts):
        if not kept or kept[-1] - count >= top * 0.035:
            kept.append(count)
    axes.set_xticks(sorted(kept), [f"{count:g}" for count in sorted(kept)])
    axes.set_xticks(list(counts), minor=True)


def waterfall(bars: Sequence[Waterfall], name: str) -> str:
    """One bar per layout and WEC count: where the median object spends its time."""
    with figure(WHOLE, 0.9 + 0.3 * max(1, len(bars))) as (made, axes):
        shown: dict[str, bool] = {}
        for position, bar in enumerate(bars):
            for segment in bar.segments:
                (drawn,) = axes.barh(
                    position,
                    segment.end - segment.start,
                    left=segment.start,
                    height=0.66,
                    color=segment.colour,
                    edgecolor=PAPER,
                    linewidth=0.6,
                    hatch="////" if segment.fixed else None,
                    label=None if shown.get(segment.name) else segment.name,
                )
                explained(drawn, f"{_short(bar.setting)}, {segment.name}: {segment.end - segment.start:.3f} s")
                shown[segment.name] = True
            axes.text(bar.end, position, f" {bar.end:.2f}", va="center", ha="left", fontsize=8, color=INK)
        axes.set_yticks(range(len(bars)), [_short(bar.setting) for bar in bars])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("seconds since the object was created (medians)")
        axes.set_xlim(0, 1.08 * max((bar.end for bar in bars), default=1))
        made.legend(loc="outside upper left", ncols=4)
        return inline(made, name, y="words")


def _short(setting: Setting) -> str:
    if not setting.layout:
        return str(setting)
    where = f"{setting.layout}, {setting.wecs}"
    return f"{where}, {setting.point}" if setting.point else where


def distribution(stage: str, series: Mapping[Setting, Sequence[float]], name: str) -> str:
    """The empirical distribution of one stage: a step line per setting, darker with more WECs, policies or objects."""
    with figure(THIRD, 2.3) as (made, axes):
        ranks = sorted({setting.order[1:] for setting in series})
        for setting, values in sorted(series.items()):
            ordered = sorted(values)
            strength = 0.35 + 0.65 * (ranks.index(setting.order[1:]) + 1) / len(ranks)
            xs, ys = _steps(ordered)
            (drawn,) = axes.step(
                xs, ys, where="post", color=LAYOUT_COLOURS[setting.layout], alpha=strength, linewidth=1.3,
                linestyle="--" if setting.layout == "one-to-many" else "-",
            )  # fmt: skip
            named(drawn, str(setting))
        axes.set_title(stage)
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.5, 0.9, 1], ["0", "50 %", "90 %", "100 %"])
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        axes.set_xlabel("seconds")
        return inline(made, name, y="share")


def _steps(ordered: Sequence[float]) -> tuple[list[float], list[float]]:
    """At most `_ECDF_POINTS` steps: of many samples, evenly spaced ranks, the last among them."""
    n = len(ordered)
    count = min(n, _ECDF_POINTS)
    ranks = sorted({max(1, round(n * (number + 1) / count)) for number in range(count)})
    return [ordered[0], *(ordered[rank - 1] for rank in ranks)], [0.0, *(rank / n for rank in ranks)]


def limits(rows: Sequence[Prediction], layout: str, name: str) -> str:
    """What the rate limits predict for the last WEC against what was measured, of one layout."""
    mine = [row for row in rows if row.layout == layout]
    with figure(HALF, 3.0) as (made, axes):
        wecs = [row.wecs for row in mine]
        floors = [row.downsync_floor for row in mine]
        axes.fill_between(wecs, 0, floors, color=GRID, linewidth=0)
        (least,) = axes.plot(
            wecs, floors, color=INK, linewidth=1.0, linestyle="--", marker="_", label="least that the limits allow"
        )
        (measured,) = axes.plot(
            wecs, [float("nan") if r.downsync_measured is None else r.downsync_measured for r in mine],
            color=LAYOUT_COLOURS[layout], marker="o", markersize=4, linewidth=1.4, label="measured, last WEC",
        )  # fmt: skip
        for line in (least, measured):
            named(line, str(line.get_label()))
        _count_axis(axes, sorted(wecs))
        axes.set_ylim(bottom=0)
        axes.set_ylabel("seconds")
        made.legend(loc="outside upper left", ncols=2)
        return inline(made, name)


def over_time(
    series: Mapping[str, Sequence[tuple[float, float]]], marks: TimeMarks, unit: str, name: str, width: float = HALF
) -> str:
    """One quantity of several components over the run, in the order of the legend, with the marks of its time axis."""
    with figure(width, 3.6) as (made, axes):
        last = max((x for points in series.values() for x, _ in points), default=0.0)
        for (label, points), colour in zip(series.items(), SERIES, strict=False):
            thin = _thinned(points)
            (line,) = axes.plot(
                [x for x, _ in thin], [y for _, y in thin], color=colour, linewidth=1.2, label=label
            )  # fmt: skip
            named(line, label)
        draw_marks(axes, marks, last)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the run began")
        axes.set_ylabel(unit)
        made.legend(loc="outside upper left", ncols=2 if width == HALF else 4)
        return inline(made, name)


def latencies_over_time(series: Mapping[str, Sequence[tuple[float, float]]], marks: TimeMarks, name: str) -> str:
    """A dot per sample: when it ended, and how long it took; a colour per series."""
    with figure(WHOLE, 3.2) as (made, axes):
        last = max((x for points in series.values() for x, _ in points), default=0.0)
        for (label, points), colour in zip(series.items(), SERIES, strict=False):
            dots(axes, _thinned(points, _DOTS // max(1, len(series))), colour, label)
            axes.plot([], [], linestyle="none", marker="o", markersize=4, color=colour, label=label)
        axes.autoscale_view()
        draw_marks(axes, marks, last)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the run began")
        axes.set_ylabel("latency (s)")
        made.legend(loc="outside upper left", ncols=6)
        return inline(made, name)


def spectrum(series: Mapping[str, Sequence[tuple[float, float]]], name: str) -> str:
    """Latency against percentile, whose axis stretches the tail: each step to the right has a tenth of the samples.

    `series`: label -> (1 / (1 - share), seconds), as `fleet.analysis.spectrum` makes them."""
    with figure(HALF, 3.6) as (made, axes):
        axes.set_xscale("log")
        for (label, points), colour in zip(series.items(), SERIES, strict=False):
            (line,) = axes.step(
                [x for x, _ in points], [y for _, y in points], where="post", color=colour, linewidth=1.3, label=label
            )  # fmt: skip
            named(line, label)
        most = max(x for points in series.values() for x, _ in points)
        nines = [1.0, 2.0, *(10.0**power for power in range(1, 9) if 10.0**power <= most * 1.01)]
        axes.set_xticks(nines, [percentile(value) for value in nines])
        axes.set_xticks([], minor=True)
        axes.set_xlim(1, max(2.0, most * 1.05))
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xlabel("percentile")
        axes.set_ylabel("latency (s)")
        made.legend(loc="outside upper left", ncols=2)
        return inline(made, name, x="nines")


def percentile(nines: float) -> str:
    """`99.9 %` of 1000: 1 / (1 - share)."""
    return f"{100 * (1 - 1 / nines):.10g} %"


def per_node(counts: Mapping[str, Sequence[int]], name: str) -> str:
    """How many objects each node has, a line per trial; each descends from the fullest node."""
    with figure(HALF, 3.6) as (made, axes):
        for (trial, values), colour in zip(counts.items(), SERIES, strict=False):
            (line,) = axes.step(
                range(1, len(values) + 1), values, where="mid", color=colour, linewidth=1.2, label=trial
            )  # fmt: skip
            named(line, trial)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("nodes, the fullest first")
        axes.set_ylabel("objects")
        made.legend(loc="outside upper left", ncols=4)
        return inline(made, name)


def _thinned(points: Sequence[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most `most` points: of each stretch the highest, because a peak is what the reader looks for."""
    if len(points) <= most:
        return list(points)
    edges = [round(len(points) * number / most) for number in range(most + 1)]
    return [max(points[a:b], key=lambda point: point[1]) for a, b in pairwise(edges) if b > a]
