"""The drawings of `density`: cost against the count with the line's interval, phases, the spectrum of latencies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fleet.analysis.line_fit import fit_line
from fleet.experiments.density.quantities import PHASES, points
from fleet.experiments.density.quantities import Sequence as Trial
from fleet.report.figures import Drawing
from fleet.report.svg import INK, MUTED, SERIES, figure, inline

_WIDE, _HIGH = 4.6, 3.4
_STEPS = 40
_NINES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)


def cost(found: Sequence[Trial], phase: str, quantity: str, unit: tuple[float, str], title: str) -> Drawing | None:
    """One quantity against the number of control planes; None where nothing was measured."""
    scale, word = unit
    seen = [(count, value / scale) for count, value in points(found, phase, quantity)]
    line = fit_line(seen)
    if line is None:
        return None
    with figure(_WIDE, _HIGH) as (made, axes):
        most = max(count for count, _ in seen)
        xs = [most * step / _STEPS for step in range(_STEPS + 1)]
        bands = [line.mean_interval(x) for x in xs]
        axes.fill_between(
            xs, [low for low, _ in bands], [high for _, high in bands], color=SERIES[0], alpha=0.18, linewidth=0
        )
        axes.plot(xs, [line.at(x) for x in xs], color=SERIES[0], linewidth=1.3, label="least squares, 95 % interval")
        axes.plot(
            [count for count, _ in seen], [value for _, value in seen], linestyle="", marker="o", markersize=4,
            color=INK, label="one sequence each",
        )  # fmt: skip
        axes.set_xlabel("control planes")
        axes.set_ylabel(word)
        axes.set_xlim(left=0)
        made.legend(loc="outside upper left", ncols=2)
        svg = inline(made, f"density-{phase}-{quantity}")
    half = line.half_width
    return Drawing(svg, title, f"Each further control plane: {line.slope:.3g} \N{PLUS-MINUS SIGN} {half:.2g} {word}.")


def phases(found: Sequence[Trial], quantity: str, unit: tuple[float, str], title: str) -> Drawing | None:
    """One quantity over the phases of the sequences with the most control planes, a line per component: means."""
    scale, word = unit
    most = max((one.count for one in found), default=0)
    mine = [one for one in found if one.count == most]
    names = sorted({name for one in mine for name in one.components()})
    series: dict[str, list[tuple[str, float]]] = {}
    for name in names:
        means = [(phase, _mean(mine, phase, quantity, name)) for phase in PHASES]
        kept = [(phase, value / scale) for phase, value in means if value is not None]
        if kept:
            series[name] = kept
    if not series or not most:
        return None
    with figure(_WIDE, _HIGH) as (made, axes):
        shown = [phase for phase in PHASES if any(phase == at for line in series.values() for at, _ in line)]
        for (name, line), colour in zip(series.items(), SERIES, strict=False):
            axes.plot(
                [shown.index(phase) for phase, _ in line], [value for _, value in line], marker="o", markersize=4,
                color=colour, linewidth=1.3, label=name,
            )  # fmt: skip
        axes.set_xticks(range(len(shown)), shown, rotation=20, ha="right")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(word)
        made.legend(loc="outside upper left", ncols=3)
        svg = inline(made, f"density-phases-{quantity}")
    return Drawing(svg, title, f"{most} control planes, mean over {len(mine)} sequences.")


def spectrum(series: Mapping[str, Sequence[float]], title: str, caption: str) -> Drawing | None:
    """Latency against percentile, seconds in; the axis gives each further nine the same room."""
    lines = {name: sorted(values) for name, values in series.items() if values}
    if not lines:
        return None
    with figure(_WIDE, _HIGH) as (made, axes):
        for (name, ordered), colour in zip(lines.items(), SERIES, strict=False):
            count = len(ordered)
            # The last sample alone stands for everything beyond 1 - 1/count.
            xs = [_nines(rank / count) for rank in range(count)]
            axes.step(xs, [1e3 * value for value in ordered], where="post", color=colour, linewidth=1.3, label=name)
        shown = [q for q in _NINES if _nines(q) <= math.log10(max(len(v) for v in lines.values())) + 0.3]
        axes.set_xticks([_nines(q) for q in shown], ["0" if q == 0 else f"{100 * q:g} %" for q in shown])
        axes.set_yscale("log")
        axes.set_xlabel("share of operations that were faster")
        axes.set_ylabel("ms")
        axes.grid(visible=True, which="minor", axis="y", linewidth=0.3, color=MUTED, alpha=0.3)
        made.legend(loc="outside upper left", ncols=2)
        svg = inline(made, "density-spectrum")
    return Drawing(svg, title, caption)


def _nines(q: float) -> float:
    return -math.log10(1 - q)


def _mean(mine: Sequence[Trial], phase: str, quantity: str, component: str) -> float | None:
    values = [value for one in mine if (value := one.total(phase, quantity, component)) is not None]
    there = [one for one in mine if any(c.phase == phase and c.component == component for c in one.cells)]
    return sum(values) / len(values) if values and there else None
