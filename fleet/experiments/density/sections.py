"""The sections of a report of `density`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.study import Study
from fleet.experiments.density import drawings
from fleet.experiments.density.analysis import MIB, shown_in
from fleet.experiments.density.quantities import BOOTSTRAP, LOAD, PHASES, STEADY, sequences
from fleet.experiments.density.quantities import Sequence as Trial
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.tables import data_table

COSTS = (
    (STEADY, "pss", (MIB, "MiB (PSS)"), "Memory"),
    (STEADY, "live_heap", (MIB, "MiB (live heap)"), "Live heap"),
    (STEADY, "cpu_mean", (0.01, "% of a core"), "Idle CPU"),
    (BOOTSTRAP, "cpu_seconds", (1.0, "CPU seconds"), "CPU to start and take into use"),
    (LOAD, "cpu_mean", (1.0, "cores"), "CPU under load"),
)
OVER_PHASES = (
    ("pss", (MIB, "MiB (PSS)"), "Memory over the phases"),
    ("cpu_mean", (1.0, "cores"), "CPU over the phases"),
)
SHOWN = (
    "pss",
    "anonymous",
    "rss",
    "peak_rss",
    "live_heap",
    "heap_inuse",
    "stacks",
    "goroutines",
    "cpu_mean",
    "cpu_peak",
)
"""Of the table of phases in the page; phases.csv has all."""


def sections(study: Study) -> Iterator[Section]:
    """Cost, phases, bootstrap, latency, probes, as far as the run has them."""
    found, tables = sequences(study.recorded), {table.name: table for table in study.own.tables}
    if "cost" in tables:
        lines = [
            "The slope of a straight line over every sequence, with Student's 95 % interval.",
            "The plain difference is what kplane prints: the largest count's sample less its baseline, over the count.",
            "Totals leave out the client and the supervisor; etcd is in them and has rows of its own.",
        ]
        made = (drawings.cost(found, *one) for one in COSTS)
        yield Section("cost", tables["cost"].title, lines, data_table(tables["cost"]), _there(made))
    if "residuals" in tables:
        yield Section("residuals", tables["residuals"].title, (), data_table(tables["residuals"]))
    by_component = _by_component(found)
    if by_component.rows:
        lines = [
            "The largest count, summed over the programs of a component, mean over the repeats; phases.csv has all."
        ]
        made = (drawings.phases(found, *one) for one in OVER_PHASES)
        yield Section("phases", "Phases", lines, data_table(by_component), _there(made))
    if "bootstrap" in tables:
        lines = [
            "Server: from a request's last byte to the answer's first. Poll sleep: between looks. Client: the rest.",
            "start is until every API server answers, before the steps.",
        ]
        yield Section("bootstrap", tables["bootstrap"].title, lines, data_table(tables["bootstrap"]))
    if "latency" in tables:
        yield Section(
            "latency", tables["latency"].title, _told(study), data_table(tables["latency"]), _spectra(study, found)
        )
    if "probes" in tables:
        yield Section("probes", tables["probes"].title, (), data_table(tables["probes"]))


def _told(study: Study) -> list[str]:
    if (study.run.spec.own("traffic") or {}).get("client") == "closed":
        return [
            "A closed client: each operation begins when the one before is back; ticks that pass meanwhile are lost.",
            "Latency begins with the operation and holds its wait for the client's own limiter.",
        ]
    return ["An open loop: latency begins when an operation was due, whatever became of the ones before it."]


def _spectra(study: Study, found: Sequence[Trial]) -> Sequence[Drawing]:
    most = max((one.count for one in found), default=0)
    point = f"clusters={most}"
    series = {
        stage: [s.seconds for s in study.samples if (s.stage, s.point) == (stage, point) and s.seconds is not None]
        for stage in ("read", "write")
    }
    caption = f"{most} control planes, first rung, all repeats together. A write is a Get and an Update."
    return _there([drawings.spectrum(series, "Latency spectrum", caption)])


def _by_component(found: Sequence[Trial]) -> DataTable:
    most = max((one.count for one in found), default=0)
    mine = [one for one in found if one.count == most]
    names = sorted({cell.component for one in mine for cell in one.cells})
    rows: list[list[Value]] = []
    for phase in PHASES:
        for name in names:
            values = [_mean(mine, phase, quantity, name) for quantity in SHOWN]
            if any(value is not None for value in values):
                rows.append([phase, name, *values])
    columns = [DataColumn(name=name) for name in ("phase", "component")]
    columns += [DataColumn(name=name, unit=shown_in(name)[1]) for name in SHOWN]
    return DataTable(name="by-component", columns=columns, rows=rows)


def _mean(mine: Sequence[Trial], phase: str, quantity: str, component: str) -> float | None:
    sums = []
    for one in mine:
        cells = [found for c, found in one.cells.items() if (c.phase, c.component) == (phase, component)]
        told = [found[quantity] for found in cells if quantity in found]
        if told:
            sums.append(sum(told))
    return sum(sums) / len(sums) / shown_in(quantity)[0] if sums else None


def _there(made: Iterator[Drawing | None] | Sequence[Drawing | None]) -> list[Drawing]:
    return [one for one in made if one is not None]
