"""What a run of node-scaling found: every step, what ended the growth, what a node costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.line_fit import fit_line
from fleet.analysis.recorded import Recorded
from fleet.experiments.node_scaling.limits import (
    CHANGE_P99,
    CLUSTER_P99,
    GET_P99,
    IDLE,
    LEASE_P99,
    NAMESPACE_P99,
    NOT_READY,
    POD_LOST,
    POD_START_P99,
    PODS,
    UNITS,
    passed,
)
from fleet.experiments.node_scaling.spec import Limits
from fleet.results.run import RunRecord

CPU, PSS, FREE, ENDED = "cpu", "pss", "memory left", "growth ended"
MIB, MILLI = 1 << 20, 1e-3
SHOWN = (
    LEASE_P99, NOT_READY, CHANGE_P99, GET_P99, NAMESPACE_P99, CLUSTER_P99, POD_START_P99, POD_LOST,
)  # fmt: skip
STATES: Mapping[str, str] = {IDLE: "at rest", PODS: "with pods"}


@dataclass
class Step:
    """One window of one trial."""

    simulator: str
    nodes: int
    repeat: int
    window: str
    values: dict[str, float] = field(default_factory=dict)
    parts: dict[tuple[str, str], float] = field(default_factory=dict)
    """By quantity and part."""

    def total(self, quantity: str) -> float:
        """Of all programs."""
        return sum(value for (name, _), value in self.parts.items() if name == quantity)


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """The stages of pods, the tables, and why each growth ended."""
    found = by_stages(run, recorded)
    windows = steps(recorded)
    limits = Limits.model_validate(run.spec.own("limits") or {})
    tables = [_limits(windows, limits, recorded), _costs(windows), _steps(windows, limits)]
    ends = [(one.of["simulator"], one.of["why"]) for one in recorded.measured if one.name == ENDED]
    reasons = [] if ends else ["the growth was cut off: no simulator reached an end"]
    return replace(
        found,
        tables=[table for table in tables if table.rows],
        reasons=[*found.reasons, *reasons],
        said=list(_said(windows, limits, ends)),
    )


def steps(recorded: Recorded) -> list[Step]:
    """Every window, in the order of the run."""
    plans = {plan.trial: plan for plan in recorded.trials if plan.repeat >= 0}
    made: dict[tuple[str, str], Step] = {}
    for one in recorded.measured:
        plan, window = plans.get(one.trial), one.of.get("window")
        if plan is None or window is None:
            continue
        words = dict(part.partition("=")[::2] for part in plan.point.split())
        step = made.setdefault((one.trial, window), Step(words["simulator"], int(words["nodes"]), plan.repeat, window))
        if "part" in one.of:
            step.parts[one.name, one.of["part"]] = one.value
        else:
            step.values[one.name] = one.value
    return list(made.values())


def _series(windows: Sequence[Step]) -> Mapping[tuple[str, int, str], list[Step]]:
    found: defaultdict[tuple[str, int, str], list[Step]] = defaultdict(list)
    for one in windows:
        found[one.simulator, one.repeat, one.window].append(one)
    return found


def _limits(windows: Sequence[Step], limits: Limits, recorded: Recorded) -> DataTable:
    ends = {one.of["simulator"]: one.of["why"] for one in recorded.measured if one.name == ENDED}
    rows: list[list[Value]] = []
    for (simulator, repeat, window), mine in _series(windows).items():
        good = [one.nodes for one in mine if not passed(one.values, limits)]
        over = next((one for one in mine if passed(one.values, limits)), None)
        why = "; ".join(passed(over.values, limits)) if over else ends.get(simulator, "")
        rows.append([simulator, repeat + 1, STATES[window], max(good, default=None), over.nodes if over else None, why])
    head = ("simulator", "repeat", "state", "nodes within the limits", "nodes beyond", "what came first")
    columns = [DataColumn(name=name) for name in head]
    return DataTable(name="limits", title="How many nodes, and what came first", columns=columns, rows=rows)


def _costs(windows: Sequence[Step]) -> DataTable:
    """Slopes over the numbers of nodes, by part and in all."""
    rows: list[list[Value]] = []
    for (simulator, repeat, window), mine in _series(windows).items():
        parts = sorted({part for one in mine for _, part in one.parts})
        for quantity, unit, scale in ((PSS, "MiB", MIB), (CPU, "millicores", MILLI)):
            for part in [*parts, ""]:
                points = [
                    (float(one.nodes), one.parts.get((quantity, part), 0.0) if part else one.total(quantity))
                    for one in mine
                ]
                line = fit_line(points)
                if line is not None and any(value for _, value in points):
                    each = [value / scale for value in (line.slope, *line.interval)]
                    rows.append(
                        [simulator, repeat + 1, STATES[window], part or "all", quantity, unit, *each, line.points]
                    )
    head = ("simulator", "repeat", "state", "part", "quantity", "unit", "each node", "low", "high", "steps")
    columns = [DataColumn(name=name) for name in head]
    return DataTable(name="costs", title="What a further node costs", columns=columns, rows=rows)


def _steps(windows: Sequence[Step], limits: Limits) -> DataTable:
    rows: list[list[Value]] = [
        [
            one.simulator, one.nodes, one.repeat + 1, STATES[one.window], *(one.values.get(name) for name in SHOWN),
            one.total(CPU), one.total(PSS) / MIB, one.values.get(FREE, 0.0) / MIB,
            "; ".join(passed(one.values, limits)),
        ]
        for one in windows
    ]  # fmt: skip
    columns = [DataColumn(name=name) for name in ("simulator", "nodes", "repeat", "state")]
    columns += [DataColumn(name=name, unit=UNITS[name]) for name in SHOWN]
    columns += [
        DataColumn(name="CPU of all programs", unit="cores"), DataColumn(name="memory of all programs", unit="MiB"),
        DataColumn(name="memory left on the machine", unit="MiB"), DataColumn(name="limits passed"),
    ]  # fmt: skip
    return DataTable(name="steps", title="Every step", columns=columns, rows=rows)


def _said(windows: Sequence[Step], limits: Limits, ends: Sequence[tuple[str, str]]) -> Iterator[str]:
    for simulator, why in ends:
        yield f"{simulator}: the growth ended because of this: {why}"
    for (simulator, _, window), mine in _series(windows).items():
        over = next((one for one in mine if passed(one.values, limits)), None)
        good = max((one.nodes for one in mine if not passed(one.values, limits)), default=0)
        state = f"{simulator} nodes {STATES[window]}"
        if over is not None:
            yield f"{state}: {good} within every limit; at {over.nodes}, {'; '.join(passed(over.values, limits))}"
        else:
            yield f"{state}: {good} within every limit, and none was passed"
