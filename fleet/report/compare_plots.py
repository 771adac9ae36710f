"""Both runs' empirical distributions of one cell in one plot."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.report.svg import MUTED, SERIES, figure, inline, named

COLOUR_A, COLOUR_B = SERIES[0], SERIES[1]
_POINTS = 100
"""Steps drawn of a curve: more cannot be seen at this size."""
_LONG_TAIL = 5.0
"""Largest value over median from which the axis of seconds is logarithmic."""


def both(title: str, a: Sequence[float], b: Sequence[float], name: str) -> str:
    """ECDF of A (solid) and B (dashed) as inline SVG; seconds, ascending and not empty. `name` prefixes its ids."""
    with figure(3.2, 2.3) as (made, axes):
        for ordered, colour, line in ((a, COLOUR_A, "-"), (b, COLOUR_B, "--")):
            xs, ys = steps(ordered)
            (drawn,) = axes.step(xs, ys, where="post", color=colour, linestyle=line, linewidth=1.4)
            named(drawn, "A" if colour == COLOUR_A else "B")
            median = ordered[(len(ordered) - 1) // 2]
            axes.axvline(median, color=colour, linestyle=(0, (1, 2)), linewidth=0.8)
        low, high = min(a[0], b[0]), max(a[-1], b[-1])
        if low > 0 and high > _LONG_TAIL * max(a[(len(a) - 1) // 2], b[(len(b) - 1) // 2]):
            axes.set_xscale("log")
        axes.set_title(title)
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.5, 0.9, 1], ["0", "50 %", "90 %", "100 %"])
        axes.tick_params(which="minor", color=MUTED)
        axes.set_xlabel("seconds")
        return inline(made, name, y="share")


def steps(ordered: Sequence[float]) -> tuple[list[float], list[float]]:
    """Corners of the step line: values and shares, both from the first value at share 0; at most `_POINTS` steps."""
    n, count = len(ordered), min(len(ordered), _POINTS)
    ranks = sorted({max(1, round(n * (number + 1) / count)) for number in range(count)})
    return [ordered[0], *(ordered[rank - 1] for rank in ranks)], [0.0, *(rank / n for rank in ranks)]
