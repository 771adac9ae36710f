"""Which drawings a report has, and what each is called for those who cannot see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.apiserver import curves
from fleet.analysis.resources import Usage
from fleet.analysis.samples import LAYOUTS, Setting
from fleet.analysis.setting import values
from fleet.analysis.study import Study
from fleet.analysis.summary import Row
from fleet.report import plots
from fleet.report.waterfall import waterfalls

_MIB = 1 << 20
_DRAWN_COMPONENTS = 8
"""As many as there are colours that can be told apart."""


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
    series: defaultdict[str, defaultdict[Setting, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in study.samples:
        if sample.counted and sample.seconds is not None:
            series[sample.stage][sample.setting].append(sample.seconds)
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
    recorded = study.recorded
    spans = [recorded.span(plan) for plan in recorded.trials if plan.repeat >= 0]
    trials = [((a - recorded.first_ns) / 1e9, (b - recorded.first_ns) / 1e9) for a, b in spans]
    lines = _lines(study.usages, hub)
    cpu = {label: [(u, c) for u, c, _ in points] for label, points in lines.items()}
    memory = {label: [(u, m) for u, _, m in points] for label, points in lines.items()}
    faults = fault_spans(study)
    shade = "Shaded: counted trials." + (f" Hatched: {_named(study)}." if faults else "")
    transports = [cluster.name for cluster in study.run.fleet.transports()]
    return [
        Drawing(plots.over_time(cpu, trials, "cores", "cpu", faults), "CPU over the run", shade),
        Drawing(plots.over_time(memory, trials, "MiB", "rss", faults), "Resident memory over the run", shade),
        *(drawing for name in transports for drawing in _api_server(study, name, trials)),
    ]


def fault_spans(study: Study) -> list[tuple[float, float | None]]:
    """Planned faults, in seconds since the run's first line."""
    first = study.recorded.first_ns
    return [
        ((fault.start_ns - first) / 1e9, None if fault.end_ns is None else (fault.end_ns - first) / 1e9)
        for fault in study.disturbances.faults
    ]


def _named(study: Study) -> str:
    """The planned faults, each once."""
    return ", ".join(dict.fromkeys(f"{fault.action} of {fault.target}" for fault in study.disturbances.faults))


def _api_server(study: Study, cluster: str, trials: Sequence[tuple[float, float]]) -> list[Drawing]:
    """Requests of a transport's API server: per second by verb, and in flight by priority level."""
    found = curves(study.recorded, cluster)
    drawings = []
    if found.requests:
        shown = dict(list(found.requests.items())[:_DRAWN_COMPONENTS])
        caption = "Mean between two scrapes. A WATCH counts when it ends."
        svg = plots.over_time(shown, trials, "requests per second", "requests", fault_spans(study))
        drawings.append(Drawing(svg, f"Requests of {cluster}'s API server", caption))
    if found.inflight:
        shown = dict(list(found.inflight.items())[:_DRAWN_COMPONENTS])
        caption = "As they were at each scrape: what comes and goes in between is not seen."
        svg = plots.over_time(shown, trials, "requests", "inflight", fault_spans(study))
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
