"""What a run of watch-scaling found: every step at both ends, the limits, what a watch costs, the client's ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value
from fleet.analysis.line_fit import LineFit, fit_line
from fleet.analysis.recorded import Recorded
from fleet.experiments.watch_scaling.steps import (
    API_SERVER,
    CLIENT,
    DISPATCHED,
    STORE,
    STREAMER,
    TERMINATED,
    WINDOW,
    Series,
    Step,
    series,
)
from fleet.observe.metrics import Names
from fleet.results.run import RunRecord

__all__ = ["KEPT", "WINDOW", "findings", "memory"]

KIB, MIB = 1 << 10, 1 << 20
KEPT: Names = {
    TERMINATED: frozenset({"resource"}),
    DISPATCHED: frozenset({"resource"}),
    "go_goroutines": frozenset(),
    "go_memstats_heap_inuse_bytes": frozenset(),
}
"""Of the API server's page."""
LIMITS = {
    "late": "deliveries were late",
    "thrown-off": "watches were thrown off",
    "refused": "watches were refused",
    "writes": "changes could not be written at the rate",
    "": "no limit was passed",
}


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """The tables, and a sentence per series."""
    found = series(recorded, folder)
    tables = [_limits(found), _costs(found), _steps(found)]
    return Findings(
        tables=[table for table in tables if table.rows],
        reasons=list(_reasons(recorded, found)),
        said=[_said(one) for one in found if not one.of_client],
    )


def memory(one: Series) -> list[tuple[float, float]]:
    """Watches and the API server's memory in bytes, of the steps within the limits."""
    return [(step.told.watches, step.pss[API_SERVER]) for step in one.good if API_SERVER in step.pss]


def _limits(found: Sequence[Series]) -> DataTable:
    """A row per series: the last step within the limits, and what ended it."""
    ceilings = {(one.shape, one.plan.repeat): one for one in found if one.of_client}
    rows: list[list[Value]] = []
    for one in found:
        last, over = one.good[-1] if one.good else None, one.limit
        own = ceilings.get((one.shape, one.plan.repeat))
        ceiling = own.good[-1].told.rate if own and own.good and not one.of_client else None
        rows.append(
            [
                one.plan.point, one.plan.repeat + 1,
                *([last.told.watches, last.told.rate, last.told.p99] if last else [None, None, None]),
                over.told.watches if over else None, LIMITS[over.told.limit if over else ""],
                *([over.told.p99, over.told.spread.p99, over.told.write.p99] if over else [None] * 3), ceiling,
            ]
        )  # fmt: skip
    head = (
        ("series", ""), ("repeat", ""), ("watches", ""), ("deliveries", "1/s"), ("p99", "ms"), ("watches beyond", ""),
        ("what ended it", ""), ("p99 beyond", "ms"), ("spread p99 beyond", "ms"),
        ("write p99 beyond", "ms"), ("client's ceiling", "1/s"),
    )  # fmt: skip
    return _table("limits", "How many watches, and what ended each series", head, rows)


def _costs(found: Sequence[Series]) -> DataTable:
    """Slopes over the steps within the limits, of the API server."""
    rows: list[list[Value]] = []
    for one in found:
        if one.of_client:
            continue
        cpu = [(step, step.cpu[API_SERVER]) for step in one.good if API_SERVER in step.cpu]
        for quantity, unit, scale, points in (
            ("memory per watch", "KiB", KIB, memory(one)),
            ("CPU per watch", "millicores", 1e-3, [(float(step.told.watches), value) for step, value in cpu]),
            ("CPU per delivery", "\N{MICRO SIGN}s", 1e-6, [(step.told.rate, value) for step, value in cpu]),
        ):
            line = fit_line(points)
            if line is not None:
                rows.append([one.plan.point, one.plan.repeat + 1, quantity, unit, *_scaled(line, scale), line.points])
    head = (
        ("series", ""), ("repeat", ""), ("quantity", ""), ("unit", ""), ("each", ""), ("low", ""), ("high", ""),
        ("steps", ""),
    )  # fmt: skip
    return _table("costs", "What a watch costs the API server", head, rows)


def _scaled(line: LineFit, scale: float) -> list[Value]:
    return [value / scale for value in (line.slope, *line.interval)]


def _steps(found: Sequence[Series]) -> DataTable:
    rows = [[one.plan.point, one.plan.repeat + 1, *_row(step)] for one in found for step in one.steps]
    head = (
        ("series", ""), ("repeat", ""), ("watches", ""), ("connections", ""), ("changes", "1/s"), ("deliveries", "1/s"),
        ("received", ""), ("late", ""), ("never came", ""), ("p50", "ms"), ("p90", "ms"), ("p99", "ms"), ("max", "ms"),
        ("spread p99", "ms"), ("write p99", "ms"), ("thrown off", ""), ("refused", ""), ("thrown off by its count", ""),
        ("events of its watch cache", "1/s"), ("server CPU", "cores"), ("server memory", "MiB"),
        ("client CPU", "cores"), ("client memory", "MiB"), ("etcd CPU", "cores"), ("limit", ""),
    )  # fmt: skip
    return _table("steps", "Every step, at both ends", head, rows)


def _row(step: Step) -> list[Value]:
    told = step.told
    server = STREAMER if STREAMER in step.cpu else API_SERVER
    counted = [None, None] if server == STREAMER else [step.terminated, step.dispatched]
    pss = [step.pss[role] / MIB if role in step.pss else None for role in (server, CLIENT)]
    return [
        told.watches, told.connections, told.changes / told.seconds, told.rate, told.received, told.late, told.lost,
        told.delivery.p50, told.delivery.p90, told.p99, told.delivery.max, told.spread.p99, told.write.p99,
        told.ended, told.refused, *counted, step.cpu.get(server), pss[0], step.cpu.get(CLIENT), pss[1],
        step.cpu.get(STORE), told.limit,
    ]  # fmt: skip


def _reasons(recorded: Recorded, found: Sequence[Series]) -> Iterator[str]:
    """A series without a step, and one that got as far as the client itself."""
    there = {one.plan.trial for one in found}
    for plan in recorded.trials:
        if plan.repeat >= 0 and plan.trial not in there:
            yield f"{plan.point}: no step was measured"
    ceilings = {(one.shape, one.plan.repeat): one for one in found if one.of_client}
    for one in found:
        own = ceilings.get((one.shape, one.plan.repeat))
        if one.of_client or own is None or own.limit is None or one.limit is None:
            continue
        reached = own.good[-1].told.rate if own.good else 0.0
        if one.limit.told.rate >= own.limit.told.rate:
            yield (
                f"{one.plan.point}: ended at {one.limit.told.rate:.0f} deliveries a second, and the client itself held"
                f" {reached:.0f}: the limit may be the client's"
            )


def _said(one: Series) -> str:
    last, over = one.good[-1] if one.good else None, one.limit
    line = fit_line(memory(one))
    held = f"held {last.told.watches} watches ({last.told.rate:.0f} deliveries a second)" if last else "held no step"
    beyond = LIMITS[over.told.limit if over else ""]
    at = f" at {over.told.watches}" if over else ""
    cost = ""
    if line is not None and line.interval[0] > 0:
        cost = f"; a watch takes {line.slope / KIB:.0f} \N{PLUS-MINUS SIGN} {line.half_width / KIB:.0f} KiB"
    return f"{one.plan.point}: {held}, {beyond}{at}{cost}"


def _table(name: str, title: str, head: Sequence[tuple[str, str]], rows: list[list[Value]]) -> DataTable:
    columns = [DataColumn(name=column, unit=unit) for column, unit in head]
    return DataTable(name=name, title=title, columns=columns, rows=rows)
