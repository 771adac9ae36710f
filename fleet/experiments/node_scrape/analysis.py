"""What a scrape costs, and what it does to the load alongside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample, own_sample
from fleet.analysis.stats import quantile
from fleet.experiments.node_scrape import figures
from fleet.results.events import Requested, TrialPlan
from fleet.results.run import RunRecord

KIB = 1024.0
COLUMNS = [
    DataColumn(name="point"), DataColumn(name="scrapes"), DataColumn(name="failed"),
    DataColumn(name="rate", unit="1/s"), DataColumn(name="bytes", unit="KiB"),
    DataColumn(name="answer p50", unit="ms"), DataColumn(name="answer p99", unit="ms"),
    DataColumn(name="API server", unit="CPU ms"), DataColumn(name="node", unit="CPU ms"),
    DataColumn(name="API server all", unit="cores"), DataColumn(name="nodes all", unit="cores"),
    DataColumn(name="load p50", unit="ms"), DataColumn(name="load p99", unit="ms"),
    DataColumn(name="load p50 alongside / alone"), DataColumn(name="load p99 alongside / alone"),
]  # fmt: skip


@dataclass(frozen=True)
class Window:
    """One trial."""

    scrapes: int
    failed: int
    seconds: float
    bytes: float
    answers: Sequence[float]
    """Of scrapes, seconds from when each was due, ascending."""
    loads: Sequence[float]
    """The same of the load."""
    server: float
    """Cores."""
    nodes: float


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """The load's samples by its stage, those of the scrapes, and the table by point."""
    found = by_stages(run, recorded)
    plans = {plan.trial: plan for plan in recorded.trials}
    scrapes = [one for one in recorded.requests if one.op == figures.SCRAPE and one.trial in plans]
    points = {
        point: [window for plan in recorded.trials if plan.point == point and plan.repeat >= 0
                for window in _window(plan, recorded)]
        for point in dict.fromkeys(plan.point for plan in recorded.trials)
    }  # fmt: skip
    measured = {point: windows for point, windows in points.items() if windows}
    alone = measured.get(figures.ALONE, [])
    table = DataTable(
        name="scrapes", title="What a scrape costs, and the load alongside it", columns=COLUMNS,
        rows=[_row(point, windows, alone) for point, windows in measured.items()],
    )  # fmt: skip
    return replace(
        found,
        samples=[*found.samples, *(_sample(one, plans[one.trial]) for one in scrapes if not one.error)],
        stages=[*found.stages, figures.SCRAPE],
        tables=[table],
        reasons=[*found.reasons, *_failed([one for one in scrapes if plans[one.trial].repeat >= 0])],
        said=list(_said(measured)),
    )


def _window(plan: TrialPlan, recorded: Recorded) -> Iterator[Window]:
    """None of a trial that did not end."""
    own = {one.name: one.value for one in recorded.measured if one.trial == plan.trial}
    if figures.SECONDS not in own:
        return
    requests = [one for one in recorded.requests if one.trial == plan.trial]
    scrapes = [one for one in requests if one.op == figures.SCRAPE]
    yield Window(
        len(scrapes), sum(1 for one in scrapes if one.error), own[figures.SECONDS], own[figures.BYTES],
        _latencies(scrapes), _latencies([one for one in requests if one.op == "create"]),
        own[figures.SERVER_CPU], own[figures.NODE_CPU],
    )  # fmt: skip


def _latencies(requests: Sequence[Requested]) -> list[float]:
    return sorted((one.ns - one.due_ns) / 1e9 for one in requests if not one.error)


def _row(point: str, windows: Sequence[Window], alone: Sequence[Window]) -> list[Value]:
    """Medians over the repeats."""
    count = sum(one.scrapes - one.failed for one in windows)
    base_p50, base_p99 = _of(alone, 0.5), _of(alone, 0.99)
    p50, p99 = _of(windows, 0.5), _of(windows, 0.99)
    answers = sorted(value for one in windows for value in one.answers)
    server, nodes = median(one.server for one in windows), median(one.nodes for one in windows)
    return [
        point, count, sum(one.failed for one in windows), count / sum(one.seconds for one in windows),
        sum(one.bytes for one in windows) / count / KIB if count else None,
        quantile(answers, 0.5) * 1e3 if answers else None, quantile(answers, 0.99) * 1e3 if answers else None,
        _per_scrape(windows, alone, lambda one: one.server), _per_scrape(windows, alone, lambda one: one.nodes),
        server, nodes, _ms(p50), _ms(p99), _ratio(p50, base_p50), _ratio(p99, base_p99),
    ]  # fmt: skip


def _per_scrape(windows: Sequence[Window], alone: Sequence[Window], of: Callable[[Window], float]) -> float | None:
    """CPU beyond that of the load alone, ms."""
    if not alone or not any(one.scrapes for one in windows):
        return None
    base = median(of(one) for one in alone)
    return median((of(one) - base) * one.seconds / one.scrapes * 1e3 for one in windows)


def _of(windows: Sequence[Window], q: float) -> float | None:
    """Of the load."""
    values = sorted(value for one in windows for value in one.loads)
    return quantile(values, q) if values else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None


def _sample(one: Requested, plan: TrialPlan) -> Sample:
    ends = (one.due_ns, one.ns)
    return own_sample(plan, figures.SCRAPE, ends, kind=one.resource, name=one.name, cluster=one.cluster)


def _failed(scrapes: Sequence[Requested]) -> Iterator[str]:
    bad = Counter((one.resource, f"{one.code or 'no answer'} {one.error}") for one in scrapes if one.error)
    for (page, why), count in bad.most_common(3):
        yield f"{count} scrapes of {page} failed: {why}"


def _said(points: dict[str, list[Window]]) -> Iterator[str]:
    alone = points.get(figures.ALONE, [])
    rows = [_row(point, windows, alone) for point, windows in points.items() if point != figures.ALONE]
    costs = [(float(cost), row[0]) for row in rows if isinstance(cost := row[7], int | float)]
    if costs:
        most, point = max(costs)
        yield f"at the API server a scrape takes at most {most:.1f} ms of CPU ({point})"
