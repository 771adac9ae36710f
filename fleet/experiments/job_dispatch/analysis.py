"""What a run of `job-dispatch` found: the stages of each Job, and throughput and latency by workers and limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value
from fleet.analysis.lifelines import CREATE
from fleet.analysis.recorded import Recorded
from fleet.analysis.recovery import REQUESTS
from fleet.analysis.resources import increments
from fleet.analysis.samples import Flag, Sample, own_sample
from fleet.analysis.stats import p99, quantile
from fleet.experiments.job_dispatch.marks import ARRIVED, DONE, FINISHED, JOB, RESERVED, STAGES
from fleet.observe.marks import CREATED
from fleet.results.events import MarkSeen, TrialPlan
from fleet.results.run import RunRecord

TABLE = "jobs"
COLUMNS = (
    DataColumn(name="workers"), DataColumn(name="limits and load"), DataColumn(name="trials"), DataColumn(name="Jobs"),
    DataColumn(name="dispatched", unit="1/s", better="higher"),
    DataColumn(name="finished", unit="1/s", better="higher"),
    DataColumn(name="dispatch p50", unit="s", better="lower"), DataColumn(name="p90", unit="s"),
    DataColumn(name="p99", unit="s"), DataColumn(name="max", unit="s"),
    DataColumn(name="completion p50", unit="s", better="lower"), DataColumn(name="completion max", unit="s"),
    DataColumn(name="hub requests per Job"), DataColumn(name="workers used"),
    DataColumn(name="twice", better="lower"), DataColumn(name="not finished", better="lower"),
)  # fmt: skip
"""Rates are medians over trials, of the time from the first request to the last Job; percentiles are of all Jobs."""


@dataclass
class Job:
    """One Job; moments are the driver's nanoseconds."""

    name: str
    worker: str = ""
    """Where it was first seen."""
    copies: int = 0
    """WECs that had a Job of that name."""
    at: dict[str, MarkSeen | int] = field(default_factory=dict)
    """By mark: `sent`, `reserved`, `arrived`, `done`, `finished`."""

    def ns(self, mark: str) -> int | None:
        """When it reached that mark."""
        found = self.at.get(mark)
        return found.ns if isinstance(found, MarkSeen) else found


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as every experiment's own
    """Samples of every stage, a table, and a sentence per row."""
    hub = {cluster.name for cluster in run.fleet.hub()}
    trials = {plan.trial: plan for plan in recorded.trials}
    jobs = _jobs(recorded, hub)
    samples = [_sample(trials[trial], job, *stage) for trial, found in jobs.items() if trial in trials
               for job in found for stage in ((one.name, one.begin, one.end) for one in STAGES)]  # fmt: skip
    rows = [*_rows(recorded, jobs, hub)]
    table = DataTable(
        name=TABLE, title="Jobs through the hub", columns=list(COLUMNS), rows=rows, key=["workers", "limits and load"]
    )
    refused = Counter(f"{one.code or 'no answer'} {one.error}" for one in recorded.requests if one.error)
    reasons = [f"{count} requests were answered with {what}" for what, count in refused.most_common(3)]
    said = [_sentence(row) for row in rows]
    return Findings(samples, [stage.name for stage in STAGES], [table] if rows else [], reasons, said=said)


def _jobs(recorded: Recorded, hub: set[str]) -> dict[str, list[Job]]:
    """By trial, in the order in which they were sent."""
    found: defaultdict[str, dict[str, Job]] = defaultdict(dict)
    for request in recorded.requests:
        if request.op == CREATE and not request.error:
            found[request.trial][request.name] = Job(request.name, at={"sent": request.sent_ns})
    for seen in recorded.seen:
        job = found.get(seen.trial, {}).get(seen.name if seen.resource == JOB else str(seen.data or ""))
        mark = _mark(seen, hub)
        if job is None or not mark:
            continue
        job.at.setdefault(mark, seen)
        if mark == ARRIVED:
            job.copies += 1
            job.worker = job.worker or seen.cluster
    return {trial: list(jobs.values()) for trial, jobs in found.items()}


def _mark(seen: MarkSeen, hub: set[str]) -> str:
    """What a line says of its Job; empty: nothing that a stage is about."""
    if seen.resource != JOB:
        return RESERVED if seen.mark == RESERVED else ""
    if seen.cluster in hub:
        return FINISHED if seen.mark == FINISHED else ""
    return {CREATED: ARRIVED, FINISHED: DONE}.get(seen.mark, "")


def _sample(plan: TrialPlan, job: Job, stage: str, begin: str, end: str) -> Sample:
    seen = [one for one in (job.at.get(begin), job.at.get(end)) if isinstance(one, MarkSeen)]
    flags: set[Flag] = {"gap" for one in seen if one.gap}
    flags |= {"listed" for one in seen if one.listed and not one.gap}
    ends = (job.ns(begin), job.ns(end))
    return own_sample(plan, stage, ends, kind="job", name=job.name, cluster=job.worker, flags=flags)


def _rows(recorded: Recorded, jobs: dict[str, list[Job]], hub: set[str]) -> Iterator[list[Value]]:
    """A row per number of workers, division and load."""
    asked: defaultdict[str, float] = defaultdict(float)
    for one in increments(recorded, REQUESTS, lambda labels: labels.get("resource") == "leases"):
        if one.cluster in hub and one.labels.get("verb") != "WATCH":
            asked[one.trial.trial] += one.value
    groups: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for plan in recorded.trials:
        if plan.repeat >= 0 and jobs.get(plan.trial):
            groups[plan.wecs, plan.point].append(plan.trial)
    for (workers, point), trials in sorted(groups.items()):
        mine = [job for trial in trials for job in jobs[trial]]
        dispatch, completion = (sorted(_seconds(mine, end)) for end in (ARRIVED, FINISHED))
        used = [len({job.worker for job in jobs[trial] if job.worker}) for trial in trials]
        yield [
            workers,
            point,
            len(trials),
            len(mine),
            _median([_rate(jobs[trial], ARRIVED) for trial in trials]),
            _median([_rate(jobs[trial], FINISHED) for trial in trials]),
            _quantile(dispatch, 0.5),
            _quantile(dispatch, 0.9),
            p99(dispatch),
            max(dispatch, default=None),
            _quantile(completion, 0.5),
            max(completion, default=None),
            _median([asked[trial] / len(jobs[trial]) if trial in asked else None for trial in trials]),
            _median([float(count) for count in used]),
            sum(job.copies > 1 for job in mine),
            sum(job.ns(FINISHED) is None for job in mine),
        ]


def _seconds(jobs: Sequence[Job], end: str) -> Iterator[float]:
    for job in jobs:
        begin_ns, end_ns = job.ns("sent"), job.ns(end)
        if begin_ns is not None and end_ns is not None:
            yield (end_ns - begin_ns) / 1e9


def _rate(jobs: Sequence[Job], mark: str) -> float | None:
    """Jobs a second, from the first request to the last that reached the mark."""
    sent = [ns for job in jobs if (ns := job.ns("sent")) is not None]
    ends = [ns for job in jobs if (ns := job.ns(mark)) is not None]
    took = (max(ends) - min(sent)) / 1e9 if ends and sent else 0.0
    return len(ends) / took if took > 0 else None


def _sentence(row: Sequence[Value]) -> str:
    by = dict(zip((column.name for column in COLUMNS), row, strict=True))
    return (
        f"{by['limits and load']}, {by['workers']} workers: {_shown(by['finished'])} Jobs a second finished, dispatch"
        f" {_shown(by['dispatch p50'])} s and completion {_shown(by['completion p50'])} s (medians of"
        f" {by['Jobs']} Jobs); {by['not finished']} did not finish."
    )


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return quantile(ordered, share) if ordered else None


def _median(values: Sequence[float | None]) -> float | None:
    return _quantile(sorted(value for value in values if value is not None), 0.5)


def _shown(value: Value) -> str:
    return "no" if value is None else f"{float(value):.2f}"
