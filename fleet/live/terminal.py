"""The view in the terminal: what the page has, in 80 columns."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fleet.analysis.cpu_over_time import cpu_over_time
from fleet.analysis.rates import rates
from fleet.analysis.study import Study
from fleet.live.progress import Progress
from fleet.report.figures import headline
from fleet.report.tables import events

WIDTH = 80
ROWS = 12
"""Of the table of latencies, the newest settings."""
EVENTS = 4


class Terminal:
    """Use as a context; `show` draws again in place."""

    def __init__(self, console: Console, address: str) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._address = address

    def __enter__(self) -> Terminal:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last view where it is."""
        self._live.stop()

    def show(self, study: Study, progress: Progress) -> None:
        """Draw."""
        self._live.update(view(study, progress, self._address), refresh=True)

    def say(self, text: str) -> None:
        """A line above the view."""
        self._live.console.print(escape(text), soft_wrap=True)


def view(study: Study, progress: Progress, address: str) -> RenderableType:
    """Everything (open: planned, and not seen yet), at most `WIDTH` wide."""
    parts: list[RenderableType] = [
        Text(progress.name, style="bold", overflow="ellipsis", no_wrap=True),
        Text(address, style="dim", overflow="fold"),
        _bar(progress.share),
        Text(str(progress)),
    ]
    stages = headline(study)
    latencies = _latencies(study, stages)
    if latencies.row_count:
        parts.append(latencies)
    parts += [Text(line, overflow="ellipsis", no_wrap=True) for line in (_rates(study, stages), _cpu(study)) if line]
    last = events(study).rows[-EVENTS:]
    parts += [
        Text(f"{at:>8} s  {what}  {where}  {text}", style="yellow", overflow="ellipsis", no_wrap=True)
        for at, what, where, text in last
    ]
    return Group(*parts)


def _latencies(study: Study, stages: list[str]) -> Table:
    table = Table(box=None, width=WIDTH, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("stage", overflow="ellipsis", no_wrap=True, max_width=15)
    table.add_column("setting", overflow="ellipsis", no_wrap=True, ratio=1)
    for name in ("n", "open", "p50 s", "p90 s", "max s"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = [row for row in study.rows if row.stage in stages]
    for row in rows[-ROWS:]:
        values = ("-" if value is None else f"{value:.3f}" for value in (row.p50, row.p90, row.max))
        table.add_row(row.stage, str(row.setting), str(row.count), str(row.missing), *values)
    return table


def _bar(share: float) -> Text:
    done = round(share * WIDTH)
    return Text("\N{BOX DRAWINGS HEAVY HORIZONTAL}" * done, style="cyan").append(
        "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (WIDTH - done), style="dim"
    )


def _rates(study: Study, stages: list[str]) -> str:
    """Of the last full columns."""
    said = []
    for name, counted in rates(study.recorded, study.samples, stages[:2]).items():
        said.append(f"{name} {max((value for _, value in counted[-3:-1]), default=0.0):.1f}/s")
    return "   ".join(said)


def _cpu(study: Study) -> str:
    """Of the last full column."""
    said = []
    for side, points in cpu_over_time(study.recorded, study.run.fleet, study.run.manager).items():
        if len(points) > 1:
            said.append(f"{side} {points[-2][1]:.2f} cores")
    return "   ".join(said)
