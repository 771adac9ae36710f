"""What each program of a control plane took in a trial: CPU, memory, heap, the deepest work queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from fleet.analysis.counters import Span, by_point, peaks, spans
from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.recorded import TRIAL, Recorded
from fleet.results.events import MetricSample, ProcessSample

MIB = 1 << 20
PSS = "pss"
"""Measured once a trial, when all objects are there."""
HEAP, DEPTH = "go_memstats_heap_alloc_bytes", "workqueue_depth"


class _Taken(NamedTuple):
    """By one program in one trial."""

    cpu: float
    pss: float | None
    heap: float | None
    depth: float | None
    queue: str


def program_table(
    recorded: Recorded, objects: int, depth_metrics: Sequence[str] = (DEPTH,), step: str = TRIAL
) -> DataTable:
    """One row per point and program; values are means over the counted trials of the point, of peaks too.

    `depth_metrics`: names of gauges of work queues with the label `name`. `step`: over which step of a trial.
    """
    taken = _taken(recorded, depth_metrics, step)
    rows: list[list[Value]] = []
    for (point, program), trials in sorted(taken.items(), key=lambda row: (row[0][0], -sum(t.cpu for t in row[1]))):
        cpu = sum(trial.cpu for trial in trials) / len(trials)
        heap = _mean([trial.heap for trial in trials])
        depth, queue = max(((t.depth, t.queue) for t in trials if t.depth is not None), default=(None, ""))
        memory = _mean([trial.pss for trial in trials])
        rows.append(
            [point, program, cpu, cpu / objects * 1e3, memory, None if heap is None else heap / MIB, depth, queue]
        )
    units = (
        ("CPU", "s"),
        ("CPU per object", "ms"),
        ("PSS", "MiB"),
        ("heap, peak", "MiB"),
        ("deepest queue", ""),
    )
    columns = [DataColumn(name="point"), DataColumn(name="program")]
    columns += [DataColumn(name=name, unit=unit) for name, unit in units] + [DataColumn(name="which")]
    return DataTable(name="programs", title="Programs", columns=columns, rows=rows)


def _taken(recorded: Recorded, depth_metrics: Sequence[str], step: str) -> dict[tuple[str, str], list[_Taken]]:
    """By point and program, one per counted trial."""
    found: defaultdict[tuple[str, str], list[_Taken]] = defaultdict(list)
    pss = {(one.trial, one.of.get("program", "")): one.value for one in recorded.measured if one.name == PSS}
    for point, trial, span in by_point(recorded, spans(recorded, step)):
        high = peaks(recorded.metrics, span)
        for program, samples in programs(recorded.processes, span).items():
            component, _, cluster = program.partition(".")
            own = {key: value for key, value in high.items() if (key.component, key.cluster) == (component, cluster)}
            heap = max((value for key, value in own.items() if key.name == HEAP), default=None)
            queues = [(value, key.label("name")) for key, value in own.items() if key.name in depth_metrics]
            depth, queue = max(queues, default=(None, ""))
            found[point, program].append(_Taken(cpu_seconds(samples), pss.get((trial, program)), heap, depth, queue))
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def heap_series(metrics: Sequence[MetricSample], first_ns: int) -> dict[str, list[tuple[float, float]]]:
    """Heap over time by program, seconds since the run began and MiB."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for sample in metrics:
        if sample.name == HEAP:
            found[f"{sample.component}.{sample.cluster}"].append(((sample.ns - first_ns) / 1e9, sample.value / MIB))
    return dict(found)


def programs(processes: Sequence[ProcessSample], span: Span) -> dict[str, list[ProcessSample]]:
    """Samples in the span, with the last one before it: that is where the trial began.

    A program that began in the span, while others were sampled before it, gets a first sample of no CPU.
    """
    before: dict[str, ProcessSample] = {}
    found: defaultdict[str, list[ProcessSample]] = defaultdict(list)
    for sample in processes:
        if sample.ns <= span[0]:
            before[sample.program] = sample
        elif sample.ns <= span[1]:
            found[sample.program].append(sample)
    for name, samples in found.items():
        if name in before:
            samples.insert(0, before[name])
        elif before:
            samples.insert(0, msgspec.structs.replace(samples[0], ns=span[0], cpu_seconds=0.0))
    return dict(found)


def cpu_seconds(samples: Sequence[ProcessSample]) -> float:
    """CPU from the first to the last sample; of a process that was started again all that it has."""
    total = 0.0
    for former, later in pairwise(samples):
        same = former.pid == later.pid and later.cpu_seconds >= former.cpu_seconds
        total += later.cpu_seconds - former.cpu_seconds if same else later.cpu_seconds
    return total
