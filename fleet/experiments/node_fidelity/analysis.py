"""What a node of each sort asks of its API server, at rest and per pod: by difference to the same WEC without nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from fleet.analysis.counters import Counter, Span, levels, rises, spans
from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.line_fit import fit_line
from fleet.analysis.recorded import Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS
from fleet.experiments.node_fidelity import series
from fleet.results.events import TrialPlan
from fleet.results.run import RunRecord

MINUTE, KIB, NS = 60.0, 1024.0, 1e9
LEAST = 0.02
"""Requests a minute and node, or a pod, below which a row is left out: renewals of watches of others fall into some
windows and not into others."""
ALIKE = 0.5
"""Requests, a minute or per pod, by which two runs may differ: a load is cut at other moments of what goes on."""
WATCH = "WATCH"
Rates = Mapping[str, float]
"""Of requests, by `VERB resource`, without watches: every client of an API server opens its own again after some
minutes, and those that stand are counted."""
Rows = Sequence[tuple[str, Sequence[float]]]
"""The same of each sort."""


@dataclass(frozen=True)
class Rest:
    """The API server over one window."""

    nodes: int
    seconds: float
    requests: Rates
    """In the window."""
    watches: float
    descriptors: float
    goroutines: float
    live: float
    """Bytes: live heap and stacks."""
    bytes_out: float
    cpu: float
    """Seconds in the window."""


@dataclass(frozen=True)
class Load:
    """The API server over the load of pods: what it did beyond the same time at rest, per pod."""

    requests: Rates
    bytes_out: float
    cpu: float


@dataclass
class Seen:
    """All trials of one sort."""

    rest: list[Rest] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    node_cpu: list[float] = field(default_factory=list)
    """Cores per node."""
    node_memory: list[float] = field(default_factory=list)
    """Bytes per node."""


@dataclass(frozen=True)
class Quantity:
    """A row of the table: one number per sort."""

    name: str
    unit: str
    of: Callable[[Seen, Seen], float | None]
    """From the trials of a sort, and from those without nodes."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """The table of all sorts, its parts, the slopes, and the answer."""
    found = by_stages(run, recorded)
    seen = read(recorded, int(str(run.spec.own("pods") or 1)))
    base = seen.pop(series.NONE, Seen())
    sorts = [name for name in seen if seen[name].rest]
    if not sorts or not base.rest:
        return replace(found, reasons=[*found.reasons, "no window at rest was measured to its end"])
    made = {name: seen[name] for name in sorts}
    tables = [_summary(made, base), _idle(made, base), _pods(made), *_slopes(made, base)]
    return replace(found, tables=[*tables, *found.tables], said=list(_said(made)))


def read(recorded: Recorded, pods: int) -> dict[str, Seen]:
    """By sort, of the counted trials that ended their windows."""
    idle, load = spans(recorded, series.IDLE), spans(recorded, series.PODS)
    found: defaultdict[str, Seen] = defaultdict(Seen)
    for plan in recorded.trials:
        if plan.trial not in idle:
            continue
        own = {one.name: one.value for one in recorded.measured if one.trial == plan.trial}
        count = int(own.get(series.NODES, 0))
        seen, rest = found[sort_of(plan)], _rest(recorded, idle[plan.trial], count)
        seen.rest.append(rest)
        if count and series.NODE_CPU in own:
            seen.node_cpu.append(own[series.NODE_CPU] / count)
            seen.node_memory.append(own[series.NODE_MEMORY] / count)
        if plan.trial in load:
            seen.loads.append(_load(recorded, load[plan.trial], rest, pods))
    return dict(found)


def sort_of(plan: TrialPlan) -> str:
    """Of a trial's point."""
    return plan.point.partition("=")[2]


def per_node(seen: Seen, base: Seen, rate: Callable[[Rest], float]) -> float:
    """Median over the trials of how much more it is with the nodes than without, per node."""
    without = median(rate(one) for one in base.rest)
    return median((rate(one) - without) / one.nodes for one in seen.rest)


def per_minute(of: Callable[[Rest], float]) -> Callable[[Rest], float]:
    """What rose in the window, per minute."""
    return lambda rest: of(rest) / rest.seconds * MINUTE


def _at_rest(of: Callable[[Rest], float]) -> Callable[[Seen, Seen], float | None]:
    return lambda seen, base: per_node(seen, base, of)


def _per_pod(of: Callable[[Load], float]) -> Callable[[Seen, Seen], float | None]:
    return lambda seen, _: median(map(of, seen.loads)) if seen.loads else None


def _median(of: Callable[[Seen], Sequence[float]]) -> Callable[[Seen, Seen], float | None]:
    return lambda seen, _: median(of(seen)) if of(seen) else None


def _matching(*wanted: str) -> Callable[[Rates], float]:
    return lambda rates: sum(value for name, value in rates.items() if name in wanted)


_STATUS = _matching("PATCH nodes/status", "PUT nodes/status")
_EVENTS = _matching("POST events", "PATCH events")
QUANTITIES = (
    Quantity("requests of a node at rest", "1/min", _at_rest(per_minute(lambda rest: sum(rest.requests.values())))),
    Quantity("of them reports of its status", "1/min", _at_rest(per_minute(lambda rest: _STATUS(rest.requests)))),
    Quantity("watches of a node", "", _at_rest(lambda rest: rest.watches)),
    Quantity("connections of a node", "", _at_rest(lambda rest: rest.descriptors)),
    Quantity("goroutines of the API server per node", "", _at_rest(lambda rest: rest.goroutines)),
    Quantity("bytes that a node gets at rest", "KiB/min", _at_rest(per_minute(lambda rest: rest.bytes_out / KIB))),
    Quantity("CPU of the API server per node at rest", "% of a core", _at_rest(lambda r: r.cpu / r.seconds * 100)),
    Quantity("memory of the API server per node", "KiB", _at_rest(lambda rest: rest.live / KIB)),
    Quantity("CPU of the node itself at rest", "% of a core", _median(lambda s: [one * 100 for one in s.node_cpu])),
    Quantity("memory of the node itself (PSS)", "KiB", _median(lambda s: [one / KIB for one in s.node_memory])),
    Quantity("requests of a pod, up and down", "", _per_pod(lambda load: sum(load.requests.values()))),
    Quantity("of them events", "", _per_pod(lambda load: _EVENTS(load.requests))),
    Quantity("bytes sent for a pod", "KiB", _per_pod(lambda load: load.bytes_out / KIB)),
    Quantity("CPU of the API server for a pod", "ms", _per_pod(lambda load: load.cpu * 1e3)),
)  # fmt: skip
SLOPES: Sequence[tuple[str, str, Callable[[Rest], float]]] = (
    ("CPU of the API server", "% of a core", lambda rest: rest.cpu / rest.seconds * 100),
    ("memory of the API server", "KiB", lambda rest: rest.live / KIB),
)
PER_POD = "requests of a pod, up and down"


def _summary(made: Mapping[str, Seen], base: Seen) -> DataTable:
    reference = list(made)[-1]  # trials have the sorts in their order, the nearest to a real node last
    others = [name for name in made if name != reference]
    rows: list[list[Value]] = []
    for quantity in QUANTITIES:
        values = {name: quantity.of(seen, base) for name, seen in made.items()}
        own = values[reference]
        factors = [_factor(values[name], own) for name in others]
        rows.append([quantity.name, quantity.unit, *values.values(), *factors])
    columns = ["quantity", "unit", *made, *(f"{name} / {reference}" for name in others)]
    return _table("fidelity", "What a node of each sort asks of its API server", columns, rows)


def _factor(value: float | None, reference: float | None) -> float | None:
    return value / reference if value is not None and reference else None


def _idle(made: Mapping[str, Seen], base: Seen) -> DataTable:
    def row(name: str) -> list[float]:
        rate = per_minute(lambda rest: rest.requests.get(name, 0.0))
        return [per_node(seen, base, rate) for seen in made.values()]

    names = sorted({name for seen in (*made.values(), base) for rest in seen.rest for name in rest.requests})
    rows = [(name, row(name)) for name in names]
    return _requests_table("idle", "Requests of a node at rest, a minute", list(made), rows)


def _pods(made: Mapping[str, Seen]) -> DataTable:
    def row(name: str) -> list[float]:
        return [median([load.requests.get(name, 0.0) for load in seen.loads] or [0.0]) for seen in made.values()]

    names = sorted({name for seen in made.values() for load in seen.loads for name in load.requests})
    rows = [(name, row(name)) for name in names]
    return _requests_table("pods", "Requests of a pod, up and down", list(made), rows)


def _requests_table(name: str, title: str, sorts: Sequence[str], rows: Rows) -> DataTable:
    """They do not depend on the speed of a machine, so two runs are compared by them."""
    columns = [DataColumn(name="verb"), DataColumn(name="resource")]
    columns += [DataColumn(name=sort, better="lower", tolerance=ALIKE) for sort in sorts]
    return DataTable(name=name, title=title, columns=columns, rows=_worth(rows), key=["verb", "resource"])


def _worth(rows: Rows) -> list[list[Value]]:
    kept = [(name, values) for name, values in rows if max(map(abs, values), default=0.0) >= LEAST]
    ranked = sorted(kept, key=lambda row: -max(row[1]))
    return [[*name.split(" ", 1), *values] for name, values in ranked]


def _slopes(made: Mapping[str, Seen], base: Seen) -> Iterator[DataTable]:
    """Where the repeats give an interval."""
    rows: list[list[Value]] = []
    for name, seen in made.items():
        for what, unit, of in SLOPES:
            line = fit_line([(float(rest.nodes), of(rest)) for rest in (*base.rest, *seen.rest)])
            if line is not None:
                rows.append([name, what, unit, line.slope, *line.interval, line.points])
    if rows:
        columns = ["nodes", "quantity", "unit", "per node", "from", "to", "windows"]
        yield _table("slopes", "CPU and memory of the API server per node, with 95 % intervals", columns, rows)


def _table(name: str, title: str, columns: Sequence[str], rows: list[list[Value]]) -> DataTable:
    return DataTable(name=name, title=title, columns=[DataColumn(name=column) for column in columns], rows=rows)


def _said(made: Mapping[str, Seen]) -> Iterator[str]:
    of = next(quantity.of for quantity in QUANTITIES if quantity.name == PER_POD)
    values = {name: of(seen, Seen()) for name, seen in made.items()}
    told = [f"{value:.1f} on {name} nodes" for name, value in values.items() if value is not None]
    if told:
        yield f"a pod takes, up and down, {', '.join(told)} requests at its API server"


def _rest(recorded: Recorded, span: Span, nodes: int) -> Rest:
    rose, now = rises(recorded.metrics, span), levels(recorded.metrics, span[1])
    return Rest(
        nodes, (span[1] - span[0]) / NS, _requests(rose),
        sum(value for key, value in now.items() if key.name == series.LONG_RUNNING and key.label("verb") == WATCH),
        _of(now, series.DESCRIPTORS), _of(now, series.GOROUTINES), _of(now, series.LIVE) + _of(now, series.STACKS),
        _of(rose, series.ANSWERED, series.WATCHED), _of(rose, series.CPU),
    )  # fmt: skip


def _load(recorded: Recorded, span: Span, rest: Rest, pods: int) -> Load:
    rose, share = rises(recorded.metrics, span), (span[1] - span[0]) / NS / rest.seconds
    requests = _requests(rose)
    names = {*requests, *rest.requests}
    return Load(
        {name: (requests.get(name, 0.0) - rest.requests.get(name, 0.0) * share) / pods for name in names},
        (_of(rose, series.ANSWERED, series.WATCHED) - rest.bytes_out * share) / pods,
        (_of(rose, series.CPU) - rest.cpu * share) / pods,
    )


def _requests(rose: Mapping[Counter, float]) -> Rates:
    found: defaultdict[str, float] = defaultdict(float)
    for key, value in rose.items():
        resource, below = key.label("resource"), key.label("subresource")
        verb = key.label("verb")
        if key.name == API_SERVER_REQUESTS.name and resource and value and verb != WATCH:
            found[f"{verb} {resource}{f'/{below}' if below else ''}"] += value
    return found


def _of(values: Mapping[Counter, float], *names: str) -> float:
    return sum(value for key, value in values.items() if key.name in names)
