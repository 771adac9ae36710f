"""What a run of scheduler-throughput found: rates, what limits them, phases, spread, requests, programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from fleet.analysis.agent_table import agent_table
from fleet.analysis.counters import spans
from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.node_spread import placed, spread_table
from fleet.analysis.phase_table import phase_table
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS, asked, request_table
from fleet.analysis.samples import Sample
from fleet.analysis.stats import quantile
from fleet.experiments.scheduler_throughput import marks, series, upstream
from fleet.experiments.scheduler_throughput.throughput import Throughput, throughputs
from fleet.model.pod_marks import SCHEDULED
from fleet.results.run import RunRecord

MS = 1e3
POINTS = ("PreFilter", "Filter", "PreScore", "Score", "PreBind", "Bind")
"""Extension points whose time is shown: where a slow profile is slow."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as every experiment's
    """By its stages and its tables."""
    found = by_stages(run, recorded)
    spec = {field: run.spec.own(field) for field in ("schedulers", "pods", "start")}
    early = spec["start"] == "before"
    samples = list(found.samples if early else _from_start(found.samples, recorded))
    pods = int(spec["pods"])
    each = list(throughputs(recorded, spec))
    trials = Counter(plan.point for plan in recorded.trials if plan.repeat >= 0)
    requests = asked(recorded, (API_SERVER_REQUESTS,), marks.LOAD)
    tables = [
        _rates(each),
        _limits(each),
        _upstream(each),
        phase_table(samples, run.stages, [stage.name for stage in marks.CREATION], "creation"),
        phase_table(samples, run.stages, [marks.PENDING.name], "scheduling"),
        _cycle(each),
        spread_table(recorded, placed(recorded, marks.POD, SCHEDULED), run.fleet.wec_nodes),
        request_table(requests, pods, trials),
        agent_table(recorded, pods, trials),
        program_table(recorded, pods, step=marks.LOAD),
        phase_table(samples, run.stages, [marks.START.name], "monitoring"),
    ]
    reasons = [*found.reasons]
    reasons += [f"{t.plan.trial}: {t.pods - t.bound} of {t.pods} pods were not bound" for t in each if t.bound < t.pods]
    kept = [table for table in tables if table.rows]  # what was measured is in the others
    return replace(found, samples=samples, tables=kept, reasons=reasons, said=list(_said(each)))


def _from_start(samples: Sequence[Sample], recorded: Recorded) -> Iterator[Sample]:
    """Pods that were there before their scheduler: they wait for it from its start on."""
    begun = {trial: span[0] for trial, span in spans(recorded, marks.LOAD).items()}
    for sample in samples:
        began = begun.get(sample.trial)
        if sample.stage != marks.PENDING.name or began is None or sample.start_ns is None:
            yield sample
            continue
        start = max(began, sample.start_ns)
        seconds = None if sample.end_ns is None else (sample.end_ns - start) / 1e9
        yield msgspec.structs.replace(sample, start_ns=start, seconds=seconds)


def _rates(each: Sequence[Throughput]) -> DataTable:
    columns = [
        DataColumn(name="load"),
        DataColumn(name="scheduler"),
        DataColumn(name="trial"),
        DataColumn(name="pods"),
        DataColumn(name="bound"),
        DataColumn(name="rate, 10 to 90 %", unit="1/s", better="higher"),
        DataColumn(name="whole rate", unit="1/s", better="higher"),
        DataColumn(name="to the first", unit="s"),
        DataColumn(name="first to last", unit="s", better="lower"),
        DataColumn(name="predicted", unit="s"),
        DataColumn(name="difference", unit="%"),
        DataColumn(name="limited by"),
    ]
    rows: list[list[Value]] = [
        [
            one.load, one.scheduler.name, one.plan.trial, one.pods, one.bound, one.rate, one.whole, one.first,
            one.makespan, one.predicted, None if one.difference is None else 100 * one.difference, one.limited_by,
        ]
        for one in each
    ]  # fmt: skip
    return DataTable(
        name="throughput", title="Throughput", columns=columns, rows=rows, key=["load", "scheduler"]
    )  # fmt: skip


def _limits(each: Sequence[Throughput]) -> DataTable:
    """What could have limited each trial, with how near it was to that."""
    columns = [
        DataColumn(name="load"),
        DataColumn(name="scheduler"),
        DataColumn(name="trial"),
        DataColumn(name="client limit", unit="1/s"),
        DataColumn(name="rate of it", unit="%"),
        DataColumn(name="wait for it", unit="ms per POST"),
        DataColumn(name="pods created", unit="1/s"),
        DataColumn(name="cycle busy", unit="%"),
        DataColumn(name="binds put off", unit="429"),
        DataColumn(name="deepest queue"),
        DataColumn(name="descriptors, most"),
        DataColumn(name="scheduler CPU", unit="cores"),
        DataColumn(name="most other CPU", unit="cores"),
        DataColumn(name="which"),
        DataColumn(name="machine busy", unit="%"),
    ]
    rows: list[list[Value]] = []
    for one in each:
        own = one.scheduler.component
        others = {name: cores for name, cores in one.cores.items() if name.partition(".")[0] != own}
        which = max(others, key=lambda name: others[name], default="")
        rows.append(
            [
                one.load, one.scheduler.name, one.plan.trial, one.scheduler.qps,
                None if one.rate is None else 100 * one.rate / one.scheduler.qps, _times(one.waited, MS), one.offered,
                _times(one.cycle, 100), one.refused, one.deepest, one.descriptors,
                next((cores for name, cores in one.cores.items() if name.partition(".")[0] == own), None),
                others.get(which), which, _times(one.busy, 100),
            ]
        )  # fmt: skip
    return DataTable(name="limits", title="What could have limited it", columns=columns, rows=rows)


def _cycle(each: Sequence[Throughput]) -> DataTable:
    """What the schedulers say of themselves, per pod."""
    columns = [
        DataColumn(name="load"),
        DataColumn(name="scheduler"),
        DataColumn(name="trial"),
        DataColumn(name="attempts"),
        DataColumn(name="unschedulable"),
        DataColumn(name="attempt p50", unit="ms"),
        DataColumn(name="attempt p99", unit="ms"),
        DataColumn(name="cycle", unit="ms per pod"),
        *(DataColumn(name=point, unit="ms per pod") for point in POINTS),
    ]
    rows: list[list[Value]] = []
    for one in each:
        if not one.own or not one.bound:
            continue
        points = [one.sum_of(f"{series.POINT}_sum", extension_point=point) for point in POINTS]
        rows.append(
            [
                one.load, one.scheduler.name, one.plan.trial, one.sum_of(series.ATTEMPTS),
                one.sum_of(series.ATTEMPTS, result="unschedulable") or 0.0, _times(one.attempt(0.5), MS),
                _times(one.attempt(0.99), MS), _times(one.sum_of(f"{series.ALGORITHM}_sum"), MS / one.bound),
                *(_times(seconds, MS / one.bound) for seconds in points),
            ]
        )  # fmt: skip
    return DataTable(name="attempts", title="What the schedulers report of themselves", columns=columns, rows=rows)


def _upstream(each: Sequence[Throughput]) -> DataTable:
    """Medians here next to what YuniKorn's page has."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for one in each:
        if one.makespan:
            found[one.load, one.scheduler.name].append(one.bound / one.makespan)
    rows: list[list[Value]] = [
        [
            known.load,
            known.form,
            known.kube_scheduler,
            known.yunikorn,
            name,
            each[0].pods,
            quantile(sorted(values), 0.5),
        ]
        for known in upstream.PUBLISHED
        for (load, name), values in found.items()
        if load == known.load
    ]
    names = (("load", ""), ("published for", "pods"), ("kube-scheduler", "1/s"), ("YuniKorn", "1/s"),
             ("here", ""), ("pods here", ""), ("pods / first to last", "1/s"))  # fmt: skip
    columns = [DataColumn(name=name, unit=unit) for name, unit in names]
    return DataTable(name="upstream", title="YuniKorn's published figures next to these", columns=columns, rows=rows)


def _said(each: Sequence[Throughput]) -> Iterator[str]:
    """One sentence per load and scheduler, of the trial in the middle."""
    found: defaultdict[tuple[str, str], list[Throughput]] = defaultdict(list)
    for one in each:
        found[one.load, one.scheduler.name].append(one)
    for (load, name), mine in found.items():
        ordered = sorted(mine, key=lambda one: one.rate or 0.0)
        middle = ordered[(len(ordered) - 1) // 2]
        if middle.rate is None:
            yield f"{load}, {name}: {middle.bound} of {middle.pods} pods were bound"
            continue
        text = f"{load}, {name}: {middle.rate:.1f} pods a second; limited by {middle.limited_by}"
        if middle.difference is not None and middle.predicted is not None and middle.makespan is not None:
            text += (
                f"; that limit predicts {middle.predicted:.1f} s from the first to the last of {middle.pods} pods,"
                f" measured {middle.makespan:.1f} s ({middle.difference:+.1%})"
            )
        yield text


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
