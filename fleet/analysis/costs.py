"""What a run cost per object and WEC: requests to the hub's API servers, CPU of the manager and of those servers."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.resources import per_trial
from fleet.analysis.setting import Setting
from fleet.results.events import ProcessSample
from fleet.results.run import RunRecord

Span = tuple[int, int]
"""Of a trial: from the begin of its load to the end of its drain, monotonic nanoseconds."""
_SERVERS = frozenset({"kube-apiserver", "etcd"})
_APART = frozenset({"WATCH"})
_LEASES = "leases"


@dataclass(frozen=True)
class Cost:
    """One setting; each value is per object and WEC, None where nothing was recorded."""

    setting: Setting
    requests: float | None
    """That the hub's API servers answered, without watches and leases."""
    manager_cpu: float | None
    """CPU seconds of the manager's programs, its agents included."""
    agents_cpu: float | None
    """CPU seconds of those of them that run once per WEC; 0 where there are none."""
    server_cpu: float | None
    """CPU seconds of the hub's API servers and their stores."""


def costs(run: RunRecord, recorded: Recorded) -> list[Cost]:
    """A row per setting that was run and counted."""
    hub = {cluster.name for cluster in run.fleet.hub()}
    asked: defaultdict[Setting, float] = defaultdict(float)
    found = per_trial(recorded, "apiserver_request_total", "verb", without=_lease)
    for (_, cluster, setting, verb), value in found.items():
        if cluster in hub and verb not in _APART:
            asked[setting] += value
    manager = by_process(s for s in recorded.processes if s.component in run.manager.components)
    agents = by_process(s for s in recorded.processes if s.component in run.manager.agents)
    servers = by_process(s for s in recorded.processes if s.component in _SERVERS and s.cluster in hub)
    spans: defaultdict[Setting, list[Span]] = defaultdict(list)
    copies: defaultdict[Setting, int] = defaultdict(int)
    for plan in recorded.trials:
        if plan.repeat >= 0:
            spans[setting_of(plan)].append(recorded.span(plan))
            copies[setting_of(plan)] += recorded.copies.get(plan.trial, 0)
    rows = []
    for setting in sorted(spans, key=lambda one: one.order):
        each = copies[setting]
        if each:
            requests = asked[setting] * len(spans[setting]) / each if found else None
            taken = [_per(programs, spans[setting], each) for programs in (manager, agents, servers)]
            if not run.manager.agents:
                taken[1] = 0.0
            rows.append(Cost(setting, requests, *taken))
    return rows


def by_process(samples: Iterable[ProcessSample]) -> list[list[ProcessSample]]:
    """By process: of a program that was started again, each start by itself."""
    found: defaultdict[tuple[str, str, int], list[ProcessSample]] = defaultdict(list)
    for one in samples:
        found[one.machine, one.program, one.pid].append(one)
    return list(found.values())


def cpu_seconds(processes: Sequence[Sequence[ProcessSample]], spans: Sequence[Span]) -> list[float]:
    """CPU seconds of all of them together in each span, from the last samples at or before its edges."""
    totals = []
    for start, end in spans:
        total = 0.0
        for samples in processes:
            first = max(0, bisect_right(samples, start, key=lambda one: one.ns) - 1)
            last = bisect_right(samples, end, key=lambda one: one.ns) - 1
            total += max(0.0, samples[last].cpu_seconds - samples[first].cpu_seconds) if last > first else 0.0
        totals.append(total)
    return totals if processes else []


def _per(processes: Sequence[Sequence[ProcessSample]], spans: Sequence[Span], copies: int) -> float | None:
    found = cpu_seconds(processes, spans)
    return sum(found) / copies if found else None


def _lease(labels: Mapping[str, str]) -> bool:
    return labels.get("resource") == _LEASES
