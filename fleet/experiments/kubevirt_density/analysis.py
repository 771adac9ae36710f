"""What a run of kubevirt-density found: phases, requests per object, webhooks, programs, spread, upstream's form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from fleet.analysis.agent_table import agent_table
from fleet.analysis.counters import by_point, rises, spans
from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.five_parts import errors_by_code
from fleet.analysis.histograms import buckets, quantile
from fleet.analysis.node_spread import placed, spread_table
from fleet.analysis.phase_table import phase_table
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import TRIAL, Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS, Asked, asked, request_table
from fleet.analysis.samples import Sample, with_stage
from fleet.analysis.stats import quantile as exact
from fleet.analysis.webhook_table import webhook_table
from fleet.experiments.kubevirt_density import marks, series, upstream
from fleet.platforms.kubevirt import names
from fleet.results.run import RunRecord

CODE_AT, COUNT_AT = 4, 5
"""Places of these columns in the table of requests."""
PARTS: Mapping[str, Sequence[str]] = {
    "creation": [stage.name for stage in marks.CREATION],
    "scheduling": [stage.name for stage in marks.SCHEDULING],
    "simulated": [stage.name for stage in marks.SIMULATED],
    "monitoring": [marks.READY_STAGE.name, *(stage.name for stage in marks.HEALTH)],
    "cleaning": [stage.name for stage in marks.CLEANING],
}
"""Tables of phases, each with its stages."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """By its stages, the one between VMI and VM, and its tables."""
    found = by_stages(run, recorded)
    count = int(run.spec.own("count") or 1)
    samples = [*found.samples, *_vm_ready(found.samples, recorded)]
    stages = [*run.stages, marks.READY_STAGE]
    requests = asked(recorded, (API_SERVER_REQUESTS, series.CLIENT))
    trials = Counter(plan.point for plan in recorded.trials if plan.repeat >= 0)
    request_rows = request_table(requests, count, trials)
    tables = [phase_table(samples, stages, chosen, name) for name, chosen in PARTS.items()]
    spread = placed(recorded, marks.POD, marks.BOUND)
    tables += [
        _upstream(samples, requests, recorded, trials, folder),
        spread_table(recorded, spread, run.fleet.wec_nodes),
        request_rows,
        agent_table(recorded, count, trials),
        webhook_table(recorded, count),
        program_table(recorded, count, series.QUEUES),
    ]
    failed = Counter(seen.trial for seen in recorded.seen if seen.mark == marks.FAILED)
    reasons = [*found.reasons, *(f"{trial}: {number} VMIs failed" for trial, number in failed.items())]
    codes = errors_by_code(request_rows.rows, CODE_AT, COUNT_AT)
    said = [*_said(samples), *_of_codes(codes)]
    kept = [table for table in tables if table.rows]  # what was measured is in the others
    names_ = [*found.stages, marks.READY_STAGE.name]
    return replace(found, samples=samples, stages=names_, tables=kept, reasons=reasons, said=said)


def _vm_ready(samples: Sequence[Sample], recorded: Recorded) -> Iterator[Sample]:
    """How long after its VMI runs a VM says that it is ready; the two have one name."""
    running = {
        (sample.trial, sample.namespace, sample.name): sample
        for sample in samples
        if sample.stage == "vmi_running" and sample.name
    }
    seen = {
        (mark.trial, mark.namespace, mark.name): mark
        for mark in recorded.seen
        if (mark.resource, mark.mark) == (marks.VM, marks.READY)
    }
    with_vms = {sample.trial for sample in samples if sample.kind == names.VMS.plural}
    for key, sample in running.items():
        if sample.trial not in with_vms:
            continue
        ready, start = seen.get(key), sample.end_ns
        end = None if ready is None or start is None else ready.ns
        flags = [flag for flag in sample.flags if flag not in ("missing", "negative")]
        later = with_stage(sample, marks.READY_STAGE.name, (start, end), flags=flags)
        yield msgspec.structs.replace(later, kind=names.VMS.plural)


def _upstream(
    samples: Sequence[Sample],
    requests: Mapping[Asked, Sequence[float]],
    recorded: Recorded,
    trials: Mapping[str, int],
    folder: Path,
) -> DataTable:
    """KubeVirt's own table: its names, what the watch, its histogram and its audit tool say, its limits and figures.

    The tool's figures are of the last counted trial of a point.
    """
    rows: list[list[Value]] = []
    published = {each.name: each.value for each in upstream.PUBLISHED}
    histograms = _histograms(recorded)
    last = {plan.point: plan.trial for plan in recorded.trials if plan.repeat >= 0}
    for point in trials:
        audit = upstream.audit_figures(folder, last[point])
        ours = sorted(
            sample.seconds
            for sample in samples
            if (sample.stage, sample.point) == ("vmi_running", point) and sample.counted and sample.seconds is not None
        )
        for label, q, limit in (("P50", 0.5, upstream.P50_SECONDS), ("P95", 0.95, upstream.P95_SECONDS)):
            name = f"vmiCreationToRunningSeconds{label}"
            theirs = quantile(histograms.get(point, []), q)
            watched = exact(ours, q) if ours else None
            rows.append([point, name, "s", watched, theirs, audit.get(name), limit, published.get(name, "")])
        counted = any((row.point, row.who) == (point, names.CONTROLLER) for row in requests)
        if not counted:  # its page could not be read
            continue
        pods = _requests(requests, point, "CREATE", "pods") / trials[point]
        for verb, resource in (
            ("CREATE", "pods"),
            ("PATCH", "pods"),
            ("PATCH", names.VMIS.plural),
            ("UPDATE", names.VMIS.plural),
        ):
            value = _requests(requests, point, verb, resource) / trials[point]
            ratio = upstream.RATIOS.get(f"{verb}-{resource}")
            name = f"{verb}-{resource}-count"
            most = None if ratio is None else ratio * pods
            rows.append([point, name, "", value, None, audit.get(name), most, published.get(name, "")])
    heads = (
        "point",
        "name",
        "unit",
        "measured",
        "by its histogram",
        "by its audit",
        "its limit",
        "published, 100 VMIs",
    )
    return DataTable(
        name="upstream",
        title="In the form of KubeVirt's own audit",
        columns=[DataColumn(name=head) for head in heads],
        rows=rows,
    )


def _requests(requests: Mapping[Asked, Sequence[float]], point: str, verb: str, resource: str) -> float:
    """Of virt-controller, any code, all trials of the point."""
    return sum(
        sum(values)
        for row, values in requests.items()
        if (row.point, row.who, row.verb, row.resource) == (point, names.CONTROLLER, verb, resource)
    )


def _histograms(recorded: Recorded) -> dict[str, list[tuple[float, float]]]:
    """KubeVirt's own histogram of creation to Running, by point, over its counted trials."""
    found: dict[str, dict[float, float]] = {}
    for point, _, span in by_point(recorded, spans(recorded, TRIAL)):
        edges = found.setdefault(point, {})
        for edge, value in buckets(rises(recorded.metrics, span), series.TRANSITION, phase="Running"):
            edges[edge] = edges.get(edge, 0.0) + value
    return {point: sorted(edges.items()) for point, edges in found.items()}


def _said(samples: Sequence[Sample]) -> Iterator[str]:
    for point in dict.fromkeys(sample.point for sample in samples if sample.counted):
        mine = [s for s in samples if s.point == point and s.stage == "vmi_running" and s.counted]
        ordered = sorted(s.seconds for s in mine if s.seconds is not None)
        if ordered:
            p50, p95 = exact(ordered, 0.5), exact(ordered, 0.95)
            lost = len(mine) - len(ordered)
            yield (
                f"{point}: {len(ordered)} of {len(mine)} VMIs ran, from creation to Running P50 {p50:.2f} s and P95"
                f" {p95:.2f} s (KubeVirt's limits: {upstream.P50_SECONDS:.0f} s and {upstream.P95_SECONDS:.0f} s)"
                + (f"; {lost} were lost" if lost else "")
            )


def _of_codes(codes: Mapping[str, float]) -> Iterator[str]:
    if codes:
        shown = ", ".join(f"{code}: {value:.0f}" for code, value in list(codes.items())[:4])
        yield f"Answers that were no success, per trial, at the API server and as its clients count them: {shown}"
