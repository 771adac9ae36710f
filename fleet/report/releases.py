"""A history of runs as Markdown, and as drawings of the medians over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.releases import LEAST_RUNS, Change, Series
from fleet.report.figures import Drawing
from fleet.report.markdown import plain
from fleet.report.svg import MUTED, ONE_TO_MANY, ONE_TO_ONE, figure, inline

MOST_TICKS = 12


def title(series: Series) -> str:
    """Of one series: `wec-scaling downsync, one-to-many, 4 WECs`."""
    ground = f" ({series.ground})" if series.ground > 1 else ""
    return f"{series.experiment}{ground} {series.stage}, {series.setting}"


def said(series: Series, change: Change) -> str:
    """A change, in a sentence."""
    where = f"{series.stage} ({series.setting})"
    return (
        f"{where} {'slower' if change.share > 0 else 'faster'} by {change.share:+.1%} since {change.release},"
        f" run {change.run}: {change.before:.3f} s before, {change.after:.3f} s after"
    )


def markdown(every: Sequence[Series], left_out: Sequence[str]) -> str:
    """Change points first, then a table of releases for each group of comparable runs."""
    return "\n".join(_lines(every, left_out)) + "\n"


def _lines(every: Sequence[Series], left_out: Sequence[str]) -> Iterator[str]:
    yield from ("# History", "")
    found = [(series, change) for series in every for change in series.changes]
    if found:
        yield from (f"- {plain(said(series, change))}" for series, change in found)
    else:
        short = f" (a series needs {LEAST_RUNS} runs)" if all(len(s.entries) < LEAST_RUNS for s in every) else ""
        yield f"No level has changed{short}."
    for ground in dict.fromkeys(series.ground for series in every):
        mine = [series for series in every if series.ground == ground]
        yield from ("", f"## {plain(mine[0].experiment)}, comparable runs {ground}", "")
        yield "| stage | setting | release | runs | median s | lowest | highest |"
        yield "|---|---|---|---:|---:|---:|---:|"
        for series in mine:
            for one in series.releases:
                cells = (series.stage, str(series.setting), one.name, str(one.runs))
                numbers = (f"{value:.3f}" for value in (one.median, one.low, one.high))
                yield f"| {' | '.join(plain(cell) for cell in (*cells, *numbers))} |"
    if left_out:
        yield from ("", "Left out:", "", *(f"- {plain(why)}" for why in left_out))


def drawings(every: Sequence[Series]) -> list[Drawing]:
    """One for each series of more than one run."""
    return [_drawing(series) for series in every if len(series.entries) > 1]


def _drawing(series: Series) -> Drawing:
    """Medians in the order of the runs, a line where the level changed, the level itself between."""
    entries = series.entries
    with figure(6.4, 2.6) as (made, axes):
        axes.plot(
            range(len(entries)),
            [entry.median for entry in entries],
            "o-",
            color=ONE_TO_ONE,
            linewidth=0.8,
            markersize=4,
        )
        for change in series.changes:
            at = next(number for number, entry in enumerate(entries) if entry.run == change.run)
            axes.axvline(at - 0.5, color=ONE_TO_MANY, linestyle="--", linewidth=1.2)
        starts = [n for n, entry in enumerate(entries) if n == 0 or entry.release != entries[n - 1].release]
        step = -(-len(starts) // MOST_TICKS)
        axes.set_xticks(
            starts[::step], [entries[n].release.split(",")[0] for n in starts[::step]], rotation=20, ha="right"
        )
        axes.set_ylim(bottom=0)
        axes.tick_params(which="minor", color=MUTED)
        axes.set_ylabel("median, seconds")
        name = f"history-{series.ground}-{series.stage}-{series.setting.layout or 'all'}-{series.setting.wecs}"
        svg = inline(made, name)
    caption = "; ".join(said(series, change) for change in series.changes) or "no change of its level"
    return Drawing(svg, title(series), caption)
