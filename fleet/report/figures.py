"""Which drawings a report has, and what each is called for those who cannot see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.apiserver import curves
from fleet.analysis.cpu_over_time import cpu_over_time
from fleet.analysis.lag import heat_map, lags, stage_of
from fleet.analysis.rates import rates as rates_of
from fleet.analysis.resources import Usage
from fleet.analysis.samples import LAYOUTS, Setting
from fleet.analysis.setting import values
from fleet.analysis.spectrum import spectrum
from fleet.analysis.study import Study
from fleet.analysis.summary import Row
from fleet.report import panels, plots
from fleet.report.time_marks import TimeMarks, time_marks
from fleet.report.waterfall import waterfalls

HEADLINE = ("downsync", "downsync_last", "downsync_spread", "e2e", "e2e_reported")
"""Stages of the first latency table; all of them are in the last."""

_MIB = 1 << 20
_DRAWN_COMPONENTS = 8
"""As many as there are colours that can be distinguished."""


@dataclass(frozen=True)
class Drawing:
    """An inline SVG and its words."""

    svg: str
    title: str
    caption: str


def axis(rows: Sequence[Row]) -> str:
    """What the latencies are drawn against: the first thing that points differ in; empty for the WEC count."""
    return next((name for row in rows for name in values(row.point)), "")


def scaling(study: Study) -> list[Drawing]:
    """Downsync and end-to-end against the WEC count, or what else was swept."""
    against = axis(study.rows)
    manager = study.run.manager
    source, wec = manager.term("source"), manager.term("wec")
    begin = "the driver's request" if manager.downsync_begins == "sent" else f"{source} object"
    titles = {
        "downsync": ("Downsync", f"{begin} to {wec} object."),
        "e2e": ("End to end", f"{source} object to complete {source} status."),
        "e2e_reported": (
            "End to end, as reported",
            f"{source} object to the last report: {manager.shown} does not return this kind's status to the object.",
        ),
    }
    fixed = next(iter(manager.fixed), None)
    note = "The band is the 95\N{NO-BREAK SPACE}% bootstrap interval of the median."
    return [
        Drawing(
            plots.scaling(study.rows, stage, f"scaling-{stage}", against, fixed),
            f"{title} against {against or 'WEC count'}",
            f"{text[0].upper()}{text[1:]} {note}",
        )
        for stage, (title, text) in titles.items()
        if any(row.stage == stage and row.count for row in study.rows)
    ]


def stages(study: Study) -> list[Drawing]:
    """The waterfall."""
    if study.own.stages:
        return []  # its stages are no way from mark to mark
    bars = waterfalls(study.samples, study.table)
    if not bars:
        return []
    return [
        Drawing(
            plots.waterfall(bars, "waterfall"),
            "Where the time goes",
            f"Bars are cut at the median time of each mark.{_hatched(study)} In one-to-many the last cut waits for the "
            "slowest WEC, because the status is complete only then.",
        )
    ]


def _hatched(study: Study) -> str:
    names = ", ".join(f"the fixed {delay.name}" for delay in study.run.manager.fixed)
    return f" Hatched: {names}." if names else ""


def distributions(study: Study) -> list[Drawing]:
    """An empirical distribution per stage."""
    series: defaultdict[str, dict[Setting, Sequence[float]]] = defaultdict(dict)
    for (stage, setting), cell in study.samples.counted.ended.cells().items():
        series[stage][setting] = cell.ordered()
    return [
        Drawing(plots.distribution(stage, series[stage], f"ecdf-{stage}"), stage, "")
        for stage in study.stages
        if stage in series
    ]


def limits(study: Study) -> list[Drawing]:
    """Prediction and measurement per layout."""
    if axis(study.rows) or not any(p.floors for p in study.predictions):
        return []  # drawn against the WEC count only; the table has every point
    layouts = [layout for layout in LAYOUTS if any(p.layout == layout for p in study.predictions)]
    return [
        Drawing(plots.limits(study.predictions, layout, f"limits-{layout}"), layout.capitalize(), "")
        for layout in layouts
    ]


def resources(study: Study, hub: Sequence[str]) -> list[Drawing]:
    """CPU and memory of the hub over the run, the first transport's API server first, everything else in one line; then
    the requests of each transport's API server."""
    if not study.usages:
        return []
    marks = time_marks(study.recorded, study.disturbances)
    lines = _lines(study.usages, hub)
    cpu = {label: [(u, c) for u, c, _ in points] for label, points in lines.items()}
    memory = {label: [(u, m) for u, _, m in points] for label, points in lines.items()}
    transports = [cluster.name for cluster in study.run.fleet.transports()]
    return [
        Drawing(plots.over_time(cpu, marks, "cores", "cpu"), "CPU over the run", marks.caption),
        Drawing(plots.over_time(memory, marks, "MiB", "rss"), "Resident memory over the run", marks.caption),
        *(drawing for name in transports for drawing in _api_server(study, name, marks)),
    ]


def cpu_sides(study: Study) -> list[Drawing]:
    """The CPU of the emulation alongside that of the system under test."""
    found = cpu_over_time(study.recorded, study.run.fleet, study.run.manager)
    if not found:
        return []
    marks = time_marks(study.recorded, study.disturbances)
    title = "CPU of the emulation alongside that of the system under test"
    return [Drawing(plots.over_time(found, marks, "cores", "sides", plots.WHOLE), title, marks.caption)]


def headline(study: Study) -> list[str]:
    """Stages of which every sample is drawn: the experiment's own, or the ways there and back."""
    return [stage for stage in (study.own.stages or HEADLINE) if any(row.stage == stage for row in study.rows)]


def over_time(study: Study) -> list[Drawing]:
    """Every sample of the headline stages by when it ended."""
    first = study.recorded.first_ns
    shown = {
        stage: found
        for stage in headline(study)[:_DRAWN_COMPONENTS]
        if (found := study.samples.of_stages(stage).counted.points(first))
    }
    if not shown:
        return []
    marks = time_marks(study.recorded, study.disturbances)
    caption = f"A dot per sample, at its end; of many the slowest. {marks.caption}"
    return [Drawing(plots.latencies_over_time(shown, marks, "samples"), "Latency over the run", caption)]


def rates(study: Study) -> list[Drawing]:
    """Objects sent and samples ended per second."""
    found = rates_of(study.recorded, study.samples, headline(study)[: _DRAWN_COMPONENTS - 1])
    if not found:
        return []
    marks = time_marks(study.recorded, study.disturbances)
    svg = plots.over_time(found, marks, "per second", "rates", plots.WHOLE)
    return [
        Drawing(svg, "Rates", f"Requests sent, and samples of each stage that ended, warm-ups too. {marks.caption}")
    ]


def spectra(study: Study) -> list[Drawing]:
    """A drawing per headline stage, a line per setting: the largest ones where there are too many."""
    made = []
    for stage in headline(study):
        cells = study.samples.of_stages(stage).counted.ended.cells()
        groups = {setting: cell.ordered() for (_, setting), cell in cells.items()}
        told = sorted((s for s in groups if len(groups[s]) > 1), key=lambda s: s.order)[-_DRAWN_COMPONENTS:]
        if told:
            series = {f"{setting} (n={len(groups[setting])})": spectrum(groups[setting]) for setting in told}
            caption = "Each line ends at the last percentile that its number of samples supports."
            made.append(Drawing(plots.spectrum(series, f"spectrum-{stage}"), f"Spectrum of {stage}", caption))
    return made


def wecs(study: Study) -> list[Drawing]:
    """The heat map and the small multiples of the first headline stage that has samples in several WECs."""
    stage = stage_of(study.samples, headline(study))
    if not stage:
        return []
    found = lags(study.samples, stage, study.recorded.first_ns)
    marks = time_marks(study.recorded, study.disturbances)
    cells = heat_map(found, columns=panels.HEAT_COLUMNS, rows=panels.HEAT_ROWS)
    beyond = len(found) - len(cells.clusters)
    rest = f" {beyond} more lag less." if beyond else ""
    hidden = len(found) - panels.PANELS
    return [
        Drawing(
            panels.heat_map(cells, marks, "heat"),
            f"{stage.capitalize()} of each WEC over time",
            f"Rows: WECs, the one that lags most on top.{rest} {marks.caption.replace('Shaded: counted trials. ', '')}",
        ),
        Drawing(
            panels.small_multiples(found, marks),
            f"{stage.capitalize()} per WEC, sorted by lag",
            "Lag: median of a WEC's samples less the median of their trial. All panels have the same axes (time of the "
            f"run, latency); the line is the WEC's median.{f' {hidden} more lag less.' if hidden > 0 else ''}",
        ),
    ]


def _api_server(study: Study, cluster: str, marks: TimeMarks) -> list[Drawing]:
    """Requests of a transport's API server: per second by verb, and in flight by priority level."""
    found = curves(study.recorded, cluster)
    drawings = []
    if found.requests:
        shown = dict(list(found.requests.items())[:_DRAWN_COMPONENTS])
        caption = "Mean between two scrapes. A WATCH counts when it ends."
        svg = plots.over_time(shown, marks, "requests per second", f"requests-{cluster}")
        drawings.append(Drawing(svg, f"Requests of {cluster}'s API server", caption))
    if found.inflight:
        shown = dict(list(found.inflight.items())[:_DRAWN_COMPONENTS])
        caption = "As they were at each scrape: what comes and goes in between is not seen."
        svg = plots.over_time(shown, marks, "requests", f"inflight-{cluster}")
        drawings.append(Drawing(svg, f"In flight at {cluster}'s API server, by priority level", caption))
    return drawings


def _lines(usages: Sequence[Usage], hub: Sequence[str]) -> dict[str, list[tuple[float, float, float]]]:
    """Label -> (seconds, cores, MiB) per round of sampling. Hub programs by name, the others summed by component;
    the first transport's API server, then those that worked most."""
    series: defaultdict[str, list[Usage]] = defaultdict(list)
    for row in usages:
        series[f"{row.component} {row.cluster}" if row.cluster in hub else f"all {row.component}"].append(row)
    rounds = {label: _rounds(rows) for label, rows in series.items()}
    first = f"kube-apiserver {hub[0]}" if hub else ""
    work = {label: sum(cores for _, cores, _ in points) for label, points in rounds.items()}
    ranked = sorted(rounds, key=lambda label: (label != first, -work[label]))
    return {label: rounds[label] for label in ranked[:_DRAWN_COMPONENTS]}


def _rounds(rows: Sequence[Usage]) -> list[tuple[float, float, float]]:
    rounds: list[dict[str, Usage]] = []
    for row in rows:
        if not rounds or row.program in rounds[-1]:
            rounds.append({})
        rounds[-1][row.program] = row
    return [
        (
            min(row.seconds for row in members.values()),
            sum(row.cpu_cores or 0.0 for row in members.values()),
            sum(row.rss_bytes for row in members.values()) / _MIB,
        )
        for members in rounds
    ]
