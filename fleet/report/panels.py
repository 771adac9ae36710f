"""Drawings with a shape per WEC: the heat map of WECs over time, and small multiples sorted by lag."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from html import escape

from fleet.analysis.lag import HeatMap, WecLag
from fleet.report.time_marks import TimeMarks, phase_colour

HEAT_COLUMNS = 90
HEAT_ROWS = 60
PANELS = 24
"""Small multiples of one page."""
_COLOURS = ("#fde725", "#9fda3a", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154")
"""Viridis in eight steps, the light end for what is fast: its brightness falls evenly, so it reads in grey too."""
_WIDTH = 680.0
_LEFT, _TOP, _ROW = 74.0, 46.0, 9.0
_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT, _GAP = 4, 160.0, 58.0, 12.0
_PANEL_DOTS = 60


def heat_map(found: HeatMap, marks: TimeMarks, name: str) -> str:
    """The `<svg>`: a row per WEC, a column per stretch of time, a colour per step of latency (each step is alike in
    ratio). Above it the phases, hatched over it the faults."""
    low, high = min(cell.seconds for cell in found.cells), max(cell.seconds for cell in found.cells)
    edges = _edges(low, high)
    across = (_WIDTH - _LEFT - 6) / found.columns
    bottom = _TOP + _ROW * len(found.clusters)
    levels: defaultdict[int, list[str]] = defaultdict(list)
    for cell in found.cells:
        level = next((number for number, edge in enumerate(edges[1:]) if cell.seconds <= edge), len(edges) - 2)
        x, y = _LEFT + cell.column * across, _TOP + cell.row * _ROW
        levels[level].append(f"M{x:.1f} {y:.1f}h{across - 0.4:.1f}v{_ROW - 1:.0f}h-{across - 0.4:.1f}z")
    shapes = [
        f'<path d="{"".join(cells)}" fill="{_COLOURS[level]}" data-tip="{_between(edges, level)}"/>'
        for level, cells in sorted(levels.items())
    ]
    step = max(1, math.ceil(len(found.clusters) / 30))
    labels = [
        _text(_LEFT - 5, _TOP + row * _ROW + 7, cluster, "end", 8)
        for row, cluster in enumerate(found.clusters)
        if row % step == 0
    ]
    seconds = found.width * found.columns
    end = _LEFT + across * found.columns
    names = escape(" ".join(found.clusters))
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {bottom + 34:.0f}" aria-hidden="true" '
        f'data-x="{_LEFT:g} {end:.1f} 0 {seconds:.6g} linear seconds since the run began" '
        f'data-rows="{_TOP:g} {_ROW:g} {names}">'
        f"{_key(edges)}{_marks(marks, seconds, end, bottom, name)}{''.join(shapes)}{''.join(labels)}"
        f"{_time_axis(seconds, end, bottom)}</svg>"
    )


def small_multiples(found: Sequence[WecLag], marks: TimeMarks) -> str:
    """The `<svg>`: a panel per WEC with its latencies over time, on the same axes; those that lag most first."""
    shown = found[:PANELS]
    last = max((at for wec in shown for at, _ in wec.points), default=0.0) or 1.0
    worst = max((wec.worst for wec in shown), default=0.0) or 1.0
    rows = math.ceil(len(shown) / _COLUMNS)
    height = rows * (_PANEL_HEIGHT + _GAP + 14)
    panels = []
    for number, wec in enumerate(shown):
        left = (number % _COLUMNS) * (_PANEL_WIDTH + _GAP)
        top = (number // _COLUMNS) * (_PANEL_HEIGHT + _GAP + 14) + 14
        panels.append(_panel(wec, (left, top), (last, worst), marks))
    width = _COLUMNS * (_PANEL_WIDTH + _GAP) - _GAP
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" aria-hidden="true">{"".join(panels)}</svg>'


def _panel(wec: WecLag, corner: tuple[float, float], ends: tuple[float, float], marks: TimeMarks) -> str:
    """At that corner; the axes end at `ends` (seconds of the run, seconds of latency)."""
    (left, top), (last, worst) = corner, ends
    points = wec.points if len(wec.points) <= _PANEL_DOTS else sorted(wec.points, key=lambda p: -p[1])[:_PANEL_DOTS]
    dots = "".join(
        f"M{left + at / last * _PANEL_WIDTH:.1f} {top + _PANEL_HEIGHT * (1 - max(0.0, seconds) / worst):.1f}h.01"
        for at, seconds in points
    )
    middle = top + _PANEL_HEIGHT * (1 - max(0.0, wec.median) / worst)
    faults = "".join(
        f'<path d="M{left + fault.start / last * _PANEL_WIDTH:.1f} {top:.0f}v{_PANEL_HEIGHT:.0f}" '
        'stroke="var(--muted)" stroke-dasharray="2 2"/>'
        for fault in marks.faults
        if fault.start <= last
    )
    lost = f", {wec.missing} missing" if wec.missing else ""
    told = f"{wec.cluster}: lag {wec.lag:+.3f} s, median {wec.median:.3f} s, slowest {wec.worst:.3f} s{lost}"
    return (
        f'<g data-tip="{escape(told)}"><rect x="{left:.0f}" y="{top:.0f}" width="{_PANEL_WIDTH:.0f}" '
        f'height="{_PANEL_HEIGHT:.0f}" fill="var(--panel)"/>{faults}'
        f'<path d="M{left:.0f} {middle:.1f}h{_PANEL_WIDTH:.0f}" stroke="var(--muted)" stroke-width="0.7"/>'
        # A style, not an attribute: matplotlib's drawings set another line cap for the whole page.
        f'<path class="dots" d="{dots}" fill="none" stroke="var(--one)" stroke-width="4" '
        'style="stroke-linecap: round"/>'
        f"{_text(left, top - 4, f'{wec.cluster}  {wec.lag:+.2f} s', 'start', 9)}</g>"
    )


def _edges(low: float, high: float) -> list[float]:
    """Borders of the steps of colour, alike in ratio; negative latencies and zero lie in the first."""
    low = max(low, high / 1000, 1e-4)
    high = max(high, low * 1.0001)
    return [low * (high / low) ** (number / len(_COLOURS)) for number in range(len(_COLOURS) + 1)]


def _between(edges: Sequence[float], level: int) -> str:
    return f"{edges[level]:.3g} to {edges[level + 1]:.3g} s"


def _key(edges: Sequence[float]) -> str:
    """The colours with their borders."""
    wide = 46.0
    boxes = "".join(
        f'<rect x="{_LEFT + number * wide:.0f}" y="4" width="{wide:.0f}" height="8" fill="{colour}"/>'
        for number, colour in enumerate(_COLOURS)
    )
    words = "".join(_text(_LEFT + number * wide, 22, f"{edge:.2g}", "middle", 8) for number, edge in enumerate(edges))
    return f"{boxes}{words}{_text(_LEFT + len(_COLOURS) * wide + 16, 12, 'seconds (median of the cell)', 'start', 8)}"


def _marks(marks: TimeMarks, seconds: float, end: float, bottom: float, name: str) -> str:
    """Phases as a strip above the rows, faults hatched over them."""

    def at(moment: float) -> float:
        return _LEFT + min(1.0, max(0.0, moment / seconds)) * (end - _LEFT)

    strips = "".join(
        f'<rect x="{at(phase.start):.1f}" y="{_TOP - 8:.0f}" width="{at(phase.end) - at(phase.start):.2f}" height="5" '
        f'fill="{phase_colour(phase.name)}" data-tip="{escape(str(phase))}"/>'
        for phase in marks.phases
        if phase.start < seconds
    )
    spans = [(at(f.start), at(seconds if f.end is None else f.end), f.text) for f in marks.faults]
    faults = "".join(
        f'<rect x="{a:.1f}" y="{_TOP:.0f}" width="{max(1.0, b - a):.1f}" height="{bottom - _TOP:.0f}" '
        f'fill="url(#{name}-hatch)" data-tip="{escape(text)}"/>'
        for a, b, text in spans
    )
    hatch = (
        f'<defs><pattern id="{name}-hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path d="M0 6L6 0" stroke="var(--muted)" stroke-width="0.8"/></pattern></defs>'
    )
    return f"{hatch if faults else ''}{strips}{faults}"


def _time_axis(seconds: float, end: float, bottom: float) -> str:
    step = 10 ** math.floor(math.log10(seconds)) if seconds > 0 else 1.0
    step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if seconds / (step * part) <= 8)  # noqa: PLR2004
    ticks = [step * number for number in range(int(seconds / step + 1e-9) + 1)]
    words = "".join(
        f'<g class="tick">{_text(_LEFT + tick / seconds * (end - _LEFT), bottom + 12, f"{tick:g}", "middle", 8)}</g>'
        for tick in ticks
    )
    middle = (_LEFT + end) / 2
    return f'<g class="axis-x">{words}{_text(middle, bottom + 27, "seconds since the run began", "middle", 9)}</g>'


def _text(x: float, y: float, words: str, anchor: str, size: float) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="var(--ink)">'
        f"{escape(words)}</text>"
    )
