"""What a load on a fleet took and how long its objects were under way, trial by trial; closed loops alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from fleet.analysis.costs import by_process, cpu_seconds
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import UNCOUNTED, Sample
from fleet.analysis.sizing.quantity import LATENCIES
from fleet.analysis.sizing.rest import Values
from fleet.analysis.stats import p99, quantile
from fleet.results.events import ProcessSample, TrialPlan

Load = tuple[str, int, int]
"""Layout, WECs, objects per policy."""


def loads(recorded: Recorded, samples: Sequence[Sample]) -> Iterator[tuple[Load, Values]]:
    """The values of each counted trial, and of all trials of one load together those that need more samples (p99).

    A trial whose samples are not complete is left out, and so is one of a point: what it varied is not known here.
    """
    groups: defaultdict[Load, list[float]] = defaultdict(list)
    processes = by_process(recorded.processes)
    by_trial: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.stage == "downsync" and not UNCOUNTED.intersection(sample.flags):
            by_trial[sample.trial].append(sample)
    for plan in recorded.trials:
        mine = [sample.seconds for sample in by_trial[plan.trial]]
        seconds = sorted(one for one in mine if one is not None)
        if not plan.layout or plan.repeat < 0 or plan.load or plan.point or len(seconds) < len(mine) or not seconds:
            continue
        load = (plan.layout, plan.wecs, _objects(plan, recorded))
        groups[load] += seconds
        values = {"downsync_p50": quantile(seconds, LATENCIES["downsync_p50"])}
        yield load, values | _used(processes, recorded.span(plan))
    for load, seconds in groups.items():
        tail = p99(sorted(seconds))
        if tail is not None:
            yield load, {"downsync_p99": tail}


def _objects(plan: TrialPlan, recorded: Recorded) -> int:
    policies = plan.policies or (plan.wecs if plan.layout == "one-to-one" else 1)
    return max(1, recorded.planned.get(plan.trial, 0) // policies)


def _used(processes: Sequence[Sequence[ProcessSample]], span: tuple[int, int]) -> Values:
    """CPU of the fleet's programs over the span, and the sum of each one's largest memory in it."""
    begin, end = span
    inside = [[one for one in samples if begin <= one.ns <= end] for samples in processes]
    peak = sum(max(one.rss for one in samples) for samples in inside if samples)
    if not peak or end <= begin:
        return {}
    (used,) = cpu_seconds(processes, [span])
    return {"load_rss": float(peak), "load_cpu_seconds": used, "load_cpu": used / ((end - begin) / 1e9)}
