"""What a run of `density` found: cost of each further control plane with its interval, phases, latencies, probes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value
from fleet.analysis.line_fit import fit_line
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample, own_sample
from fleet.analysis.stats import p99, quantile
from fleet.experiments.density import latencies
from fleet.experiments.density.latencies import DONE, ERRORS, LIMITED, Bootstrap, Load, Operation
from fleet.experiments.density.quantities import (
    BASELINE,
    BOOTSTRAP,
    CLIENT,
    LOAD,
    STEADY,
    TOTAL,
    differs,
    ordered,
    points,
    probes,
    sequences,
)
from fleet.experiments.density.quantities import Sequence as Trial
from fleet.experiments.density.weights import UNITS
from fleet.results.run import RunRecord

STEPS = ("ready", "namespace", "crd", "established", "discovery")
STAGES = ("read", "write", BOOTSTRAP, *STEPS)
"""Of the samples: operations of the first rung, and the bootstrap of each control plane with its steps."""
FITTED = (
    (STEADY, "pss"), (STEADY, "anonymous"), (STEADY, "rss"), (STEADY, "live_heap"), (STEADY, "heap_inuse"),
    (STEADY, "stacks"), (STEADY, "goroutines"), (STEADY, "threads"), (STEADY, "descriptors"), (STEADY, "cpu_mean"),
    (STEADY, "etcd_size"), (BOOTSTRAP, "cpu_seconds"), (BOOTSTRAP, "peak_rss"), (LOAD, "cpu_mean"),
)  # fmt: skip
"""Quantities whose slope over the counts is a control plane's cost."""
RESIDUALS = ((STEADY, "pss"), (STEADY, "live_heap"), (STEADY, "cpu_mean"))
MOST_CLIENT = 0.2
"""Share of the load's CPU above which the client may have slowed the servers down, on a machine that was full."""
FULL = 0.9
"""Share of the machine's processors that was busy."""
MIB = 1 << 20
P999_NEEDS = 1000


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """Of one run; `folder` holds what the load client measured."""
    found = sequences(recorded)
    loads = {one.plan.trial: latencies.load(folder, one.plan.trial) for one in found}
    boots = {one.plan.trial: latencies.bootstrap(folder, one.plan.trial) for one in found}
    closed = (run.spec.own("traffic") or {}).get("client") == "closed"
    samples = [
        sample
        for one in found
        for sample in (
            *_boot_samples(one, boots[one.plan.trial]),
            *_load_samples(one, loads[one.plan.trial], closed=closed),
        )
    ]
    cost = cost_table(found)
    tables = [
        cost,
        residual_table(found),
        phase_table(found),
        boot_table(found, boots),
        latency_table(found, loads, closed=closed),
        probe_table(recorded),
    ]
    return Findings(
        samples=samples,
        stages=STAGES,
        tables=[table for table in tables if table.rows],
        reasons=list(_reasons(found, boots)),
        warnings=list(_warnings(found)),
        said=[*_planes(recorded), *_said(cost)],
    )


def cost_table(found: Sequence[Trial]) -> DataTable:
    """A row per quantity, for all programs of a control plane together and for each component."""
    rows: list[list[Value]] = []
    components = sorted({name for one in found for name in one.components()})
    for phase, quantity in FITTED:
        for component in (TOTAL, *components):
            line = fit_line(points(found, phase, quantity, component))
            if line is None or not any(value for _, value in points(found, phase, quantity, component)):
                continue
            scale, unit = shown_in(quantity)
            naive = plain_difference(found, phase, quantity, component)
            numbers = [
                None if value is None else value / scale for value in (line.slope, *line.interval, line.fixed, naive)
            ]
            rows.append([phase, quantity, unit, component, *numbers, line.points])
    return _table(
        "cost", "What each further control plane costs",
        ("phase", "quantity", "unit", "of", "each", "low", "high", "fixed", "plain difference", "points"), rows,
    )  # fmt: skip


def shown_in(quantity: str) -> tuple[float, str]:
    """What a table of few rows divides a quantity by, and the unit that this gives."""
    return (MIB, "MiB") if UNITS[quantity] == "B" else (1.0, UNITS[quantity])


def plain_difference(found: Sequence[Trial], phase: str, quantity: str, component: str) -> float | None:
    """kplane's number: (sample - baseline) / N of the largest count, the mean over its repeats."""
    most = max((one.count for one in found), default=0)
    each = []
    for one in found:
        value, base = one.total(phase, quantity, component), one.total(BASELINE, quantity, component)
        if one.count == most > 0 and value is not None:
            each.append((value - (base or 0.0)) / most)
    return sum(each) / len(each) if each else None


def residual_table(found: Sequence[Trial]) -> DataTable:
    """What the line leaves of each sequence: a bow says that cost is not proportional."""
    rows: list[list[Value]] = []
    for phase, quantity in RESIDUALS:
        line = fit_line(points(found, phase, quantity))
        for one in sorted(found, key=lambda one: (one.count, one.plan.repeat)):
            value = one.total(phase, quantity)
            if line is not None and value is not None:
                scale, unit = shown_in(quantity)
                seen, fitted = value / scale, line.at(one.count) / scale
                rows.append([quantity, unit, one.count, one.plan.repeat + 1, seen, fitted, seen - fitted])
    head = ("quantity", "unit", "clusters", "repeat", "measured", "fitted", "residual")
    return _table("residuals", "What the line leaves", head, rows)


def phase_table(found: Sequence[Trial]) -> DataTable:
    """phases.csv: a row per phase and program."""
    rows: list[list[Value]] = []
    for one in found:
        for cell in ordered(one.cells):
            told = [one.cells[cell].get(quantity) for quantity in UNITS]
            rows.append([one.count, one.plan.repeat + 1, cell.phase, cell.program, cell.component, *told])
    columns = [DataColumn(name=name) for name in ("clusters", "repeat", "phase", "program", "component")]
    columns += [DataColumn(name=name, unit=unit) for name, unit in UNITS.items()]
    return DataTable(name="phases", title="Every phase", columns=columns, rows=rows)


def boot_table(found: Sequence[Trial], boots: dict[str, Bootstrap | None]) -> DataTable:
    """Each step of the bootstrap at each count: whose time it was, as means over control planes; seconds."""
    rows: list[list[Value]] = []
    for count in sorted({one.count for one in found}):
        mine = [boot for one in found if one.count == count and (boot := boots[one.plan.trial]) is not None]
        for name, steps in latencies.by_step([step for boot in mine for step in boot.steps]).items():
            walls = sorted(step.wall for step in steps)
            means = [sum(getattr(step, part) for step in steps) / len(steps) for part in ("server", "sleep", "client")]
            requests = sum(step.requests for step in steps) / len(steps)
            rows.append([count, name, len(steps), quantile(walls, 0.5), p99(walls), walls[-1], *means, requests])
        for quantity in ("start_seconds", "bootstrap_seconds"):
            values = [v for one in found if one.count == count and (v := _whole(one, quantity)) is not None]
            if values:
                middle, name = quantile(sorted(values), 0.5), quantity.partition("_")[0]
                rows.append([count, name, len(values), middle, None, max(values), None, None, None, None])
    head = (
        "clusters",
        "step",
        "count",
        "p50 (s)",
        "p99 (s)",
        "max (s)",
        "server (s)",
        "poll sleep (s)",
        "client (s)",
        "requests",
    )
    return _table("bootstrap", "Bootstrap: whose time it was", head, rows)


def latency_table(found: Sequence[Trial], loads: dict[str, Load | None], *, closed: bool) -> DataTable:
    """latency.csv: a row per rung and kind of operation, milliseconds; exact, from every operation."""
    rows: list[list[Value]] = []
    for one in found:
        load = loads[one.plan.trial]
        for rung in load.rungs if load is not None else ():
            for op in ("read", "write"):
                mine = load.of(int(rung["rung"]), op) if load is not None else []
                head: list[Value] = [one.count, one.plan.repeat + 1, int(rung["rung"]), float(rung["factor"])]
                counts: list[Value] = [
                    int(rung[op]["offered"]),
                    sum(o.outcome == DONE for o in mine),
                    sum(o.late for o in mine),
                ]
                failed = latencies.errors(mine)
                counts += [failed[name] for name in ERRORS]
                rates: list[Value] = [
                    float(rung["offered"]),
                    float(rung["achieved"]),
                    str(bool(rung["saturated"])).lower(),
                ]
                for part, taken in _parts(mine, op, closed=closed):
                    rows.append([*head, op, part, *counts, *_distribution(taken), *rates])
    columns = (
        "clusters", "repeat", "rung", "factor", "op", "from", "offered", "count", "late", *ERRORS,
        "p50", "p90", "p99", "p99.9", "max", "mean", "rung offered (1/s)", "rung achieved (1/s)", "saturated",
    )  # fmt: skip
    return _table("latency", "Latency under load (ms)", columns, rows)


def probe_table(recorded: Recorded) -> DataTable:
    """Each probe, whether it can, and why not."""
    rows: list[list[Value]] = [[of["probe"], "no" if of["why"] else "yes", of["why"]] for of in probes(recorded)]
    return _table("probes", "What such a control plane can do", ("probe", "can", "why not"), rows)


def client_share(one: Trial) -> float | None:
    """Of the CPU that client and servers took in the load."""
    client, servers = one.total(LOAD, "cpu_seconds", CLIENT), one.total(LOAD, "cpu_seconds")
    if client is None or servers is None or client + servers <= 0:
        return None
    return client / (client + servers)


def _parts(mine: Sequence[Operation], op: str, *, closed: bool) -> Iterator[tuple[str, list[float]]]:
    done = [one for one in mine if one.outcome == DONE]
    if not closed:
        yield "due", [one.end - one.due for one in done]
    yield "sent", [one.end - one.sent for one in done]
    if op == "write":
        yield "get", [one.got - one.sent for one in done]
        yield "update", [one.end - one.got for one in done]


def _distribution(seconds: list[float]) -> list[Value]:
    if not seconds:
        return [None] * 6
    walls = sorted(1e3 * value for value in seconds)
    rare = quantile(walls, 0.999) if len(walls) >= P999_NEEDS else None
    return [quantile(walls, 0.5), quantile(walls, 0.9), p99(walls), rare, walls[-1], sum(walls) / len(walls)]


def _whole(one: Trial, quantity: str) -> float | None:
    """A quantity of the bootstrap as a whole."""
    return next((found[quantity] for cell, found in one.cells.items() if quantity in found), None)


def _boot_samples(one: Trial, boot: Bootstrap | None) -> Iterator[Sample]:
    """The whole and each step of each control plane; the driver's clock begins where the plan was written."""
    if boot is None:
        return
    for name, wall in boot.wall.items():
        begin = boot.begin[name]
        yield _sample(one, BOOTSTRAP, name, "", begin, begin + wall)
        for step in boot.steps:
            if step.cluster == name:
                yield _sample(one, step.name, name, "", begin, begin + step.wall)
                begin += step.wall


def _load_samples(one: Trial, load: Load | None, *, closed: bool) -> Iterator[Sample]:
    """Operations of the first rung: from when they were due; of a closed client, as kplane's, from when they began. One
    that its own limiter refused was never sent and is no sample."""
    if load is None:
        return
    begin = (load.begin_wall - one.plan.wall) / 1e9
    for number, op in enumerate(load.operations):
        if op.rung == 0 and op.outcome != LIMITED:
            start = begin + (op.sent if closed else op.due)
            yield _sample(one, op.op, op.cluster, str(number), start, begin + op.end if op.outcome == DONE else None)


def _sample(one: Trial, stage: str, cluster: str, name: str, start: float, end: float | None) -> Sample:  # noqa: PLR0917
    plan = one.plan
    ends = (plan.ns + round(start * 1e9), None if end is None else plan.ns + round(end * 1e9))
    return own_sample(plan, stage, ends, kind="", name=name, cluster=cluster)


def _reasons(found: Sequence[Trial], boots: dict[str, Bootstrap | None]) -> Iterator[str]:
    for one in found:
        where = f"{one.plan.point}, repeat {one.plan.repeat + 1}"
        boot = boots[one.plan.trial]
        if boot is not None and boot.failed:
            failed = f"{len(boot.failed)} of {len(boot.wall)} control planes"
            yield f"{where}: {failed} could not be taken into use, as {boot.failed[0]}"
        if one.total(STEADY, "seconds", TOTAL) is None and not any(cell.phase == STEADY for cell in one.cells):
            yield f"{where}: the sequence did not reach its steady phase"
        share, busy = client_share(one), _busy(one)
        if share is not None and share > MOST_CLIENT and busy > FULL:
            yield (
                f"{where}: the load client took {share:.0%} of the load's CPU on a machine that was {busy:.0%} busy: "
                "latencies are partly its own"
            )


def _warnings(found: Sequence[Trial]) -> Iterator[str]:
    shares = [(share, one) for one in found if (share := client_share(one)) is not None]
    if shares:
        share, one = max(shares, key=lambda pair: pair[0])
        if share > MOST_CLIENT:
            yield (
                f"the load client took up to {share:.0%} of the load's CPU ({one.plan.point}), on a machine that was "
                f"{_busy(one):.0%} busy"
            )


def _busy(one: Trial) -> float:
    return next((found["busy"] for cell, found in one.cells.items() if "busy" in found), 0.0)


def _planes(recorded: Recorded) -> Iterator[str]:
    if text := differs(recorded):
        yield f"The control planes: {text}."


def _said(cost: DataTable) -> Iterator[str]:
    """What a control plane costs, in words."""
    shown: dict[tuple[str, str], tuple[str, float, str]] = {
        (STEADY, "pss"): ("of memory (PSS)", 1.0, "MiB"),
        (STEADY, "live_heap"): ("of live heap", 1.0, "MiB"),
        (STEADY, "cpu_mean"): ("of a core when idle", 0.01, "%"),
        (BOOTSTRAP, "cpu_seconds"): ("of CPU to start and take into use", 1.0, "s"),
    }
    for phase, quantity, _, of, each, low, high, *_rest in cost.rows:
        if of == TOTAL and (str(phase), str(quantity)) in shown:
            what, unit, word = shown[str(phase), str(quantity)]
            numbers = [float(value or 0.0) / unit for value in (each, low, high)]
            interval = f"95 % interval {numbers[1]:.2f} to {numbers[2]:.2f}"
            yield f"Each further control plane costs {numbers[0]:.2f} {word} {what} ({interval})."


def _table(name: str, title: str, head: Sequence[str], rows: list[list[Any]]) -> DataTable:
    return DataTable(name=name, title=title, columns=[DataColumn(name=column) for column in head], rows=rows)
