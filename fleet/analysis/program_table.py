"""What each program of a control plane took in a trial: CPU, memory, heap, the deepest work queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from fleet.analysis.counters import Span, by_point, peaks, spans
from fleet.analysis.findings import DataColumn, DataTable, Value
from fleet.analysis.recorded import TRIAL, Recorded
from fleet.results.events import MetricSample, ProcessSample

MIB = 1 << 20
HEAP, DEPTH = "go_memstats_heap_alloc_bytes", "workqueue_depth"


def program_table(recorded: Recorded, objects: int, depth_metrics: Sequence[str] = (DEPTH,)) -> DataTable:
    """One row per point and program; values are means over the counted trials of the point, of peaks too.

    `depth_metrics`: names of gauges of work queues with the label `name`.
    """
    rows: list[list[Value]] = []
    found: defaultdict[tuple[str, str], list[tuple[float, float, float | None, float | None, str]]] = defaultdict(list)
    for point, _, span in by_point(recorded, spans(recorded, TRIAL)):
        high = peaks(recorded.metrics, span)
        for program, samples in _programs(recorded.processes, span).items():
            component, _, cluster = program.partition(".")
            heap = max((v for k, v in high.items() if (k.component, k.cluster, k.name) == (component, cluster, HEAP)),
                       default=None)  # fmt: skip
            queues = [
                (value, key.label("name"))
                for key, value in high.items()
                if (key.component, key.cluster) == (component, cluster) and key.name in depth_metrics
            ]
            depth, queue = max(queues, default=(None, ""))
            pss = max(sample.pss for sample in samples)
            found[point, program].append((_cpu(samples), pss / MIB, heap, depth, queue))
    for (point, program), trials in sorted(found.items(), key=lambda row: (row[0][0], -sum(t[0] for t in row[1]))):
        cpu = sum(trial[0] for trial in trials) / len(trials)
        heaps = [trial[2] for trial in trials if trial[2] is not None]
        depths = [(trial[3], trial[4]) for trial in trials if trial[3] is not None]
        deepest = max(depths, default=(None, ""))
        rows.append(
            [
                point,
                program,
                cpu,
                cpu / objects * 1e3,
                sum(trial[1] for trial in trials) / len(trials),
                sum(heaps) / len(heaps) / MIB if heaps else None,
                deepest[0],
                deepest[1],
            ]
        )
    units = (
        ("CPU", "s"),
        ("CPU per object", "ms"),
        ("PSS, peak", "MiB"),
        ("heap, peak", "MiB"),
        ("deepest queue", ""),
    )
    columns = [DataColumn(name="point"), DataColumn(name="program")]
    columns += [DataColumn(name=name, unit=unit) for name, unit in units] + [DataColumn(name="which")]
    return DataTable(name="programs", title="Programs", columns=columns, rows=rows)


def heap_series(metrics: Sequence[MetricSample], first_ns: int) -> dict[str, list[tuple[float, float]]]:
    """Heap over time by program, seconds since the run began and MiB."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for sample in metrics:
        if sample.name == HEAP:
            found[f"{sample.component}.{sample.cluster}"].append(((sample.ns - first_ns) / 1e9, sample.value / MIB))
    return dict(found)


def _programs(processes: Sequence[ProcessSample], span: Span) -> dict[str, list[ProcessSample]]:
    """Samples in the span, with the last one before it: that is where the trial began."""
    before: dict[str, ProcessSample] = {}
    found: defaultdict[str, list[ProcessSample]] = defaultdict(list)
    for sample in processes:
        if sample.ns <= span[0]:
            before[sample.program] = sample
        elif sample.ns <= span[1]:
            found[sample.program].append(sample)
    return {name: [before[name], *samples] if name in before else samples for name, samples in found.items()}


def _cpu(samples: Sequence[ProcessSample]) -> float:
    """Seconds of CPU from the first to the last sample; of a process that was started anew all that it has."""
    total = 0.0
    for former, later in pairwise(samples):
        same = former.pid == later.pid and later.cpu_seconds >= former.cpu_seconds
        total += later.cpu_seconds - former.cpu_seconds if same else later.cpu_seconds
    return total
