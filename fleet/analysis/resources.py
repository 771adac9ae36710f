"""What the programs used: CPU, memory and descriptors over time, API requests, and waiting in the client's limiter."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import msgspec

from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.setting import Setting
from fleet.results.events import MetricSample, ProcessSample, TrialPlan

RESOURCE_COLUMNS = (
    "seconds",
    "wall_ns",
    "machine",
    "program",
    "component",
    "cluster",
    "pid",
    "cpu_cores",
    "rss_bytes",
    "pss_bytes",
    "fds",
    "threads",
)
"""Of resources.csv, in this order."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One program at one moment; field order is that of `RESOURCE_COLUMNS`."""

    seconds: float
    """Since the first line of the run."""
    wall_ns: int
    machine: str
    program: str
    component: str
    cluster: str
    pid: int
    cpu_cores: float | None
    """Mean since its former sample; None for the first of a process."""
    rss_bytes: int
    pss_bytes: int
    fds: int
    threads: int


@dataclass(frozen=True, slots=True)
class Peak:
    """One component over the run: all its programs of one role together."""

    component: str
    clusters: str
    """The cluster, or how many."""
    programs: int
    cpu_mean: float
    """Cores, over the time it was sampled."""
    cpu_peak: float
    rss_peak: int
    """Bytes; sum over its programs at the moment when that was largest."""
    fds_peak: int


@dataclass(frozen=True, slots=True)
class Requests:
    """API requests that one API server answered while the counted trials of one kind were under way."""

    cluster: str
    setting: Setting
    verb: str
    per_trial: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds that a component's requests waited in its own rate limiter, per trial."""

    component: str
    setting: Setting
    waited: float
    elapsed: float
    """Seconds of the same trials, per trial."""

    @property
    def share(self) -> float:
        """Mean number of requests that were waiting at any moment."""
        return self.waited / self.elapsed if self.elapsed > 0 else 0.0


def usages(recorded: Recorded) -> list[Usage]:
    """Every process sample, with CPU as cores since the one before of the same process."""
    last: dict[tuple[str, str, int], ProcessSample] = {}
    rows = []
    for sample in recorded.processes:
        key = (sample.machine, sample.program, sample.pid)
        before = last.get(key)
        last[key] = sample
        cores = None
        if before is not None and sample.ns > before.ns:
            cores = max(0.0, sample.cpu_seconds - before.cpu_seconds) / ((sample.ns - before.ns) / 1e9)
        rows.append(
            Usage(
                (sample.ns - recorded.first_ns) / 1e9,
                sample.wall,
                sample.machine,
                sample.program,
                sample.component,
                sample.cluster,
                sample.pid,
                cores,
                sample.rss,
                sample.pss,
                sample.fds,
                sample.threads,
            )
        )
    return rows


def peaks(rows: Sequence[Usage], hub: Sequence[str]) -> list[Peak]:
    """Per component, those of a hub cluster apart; the hub first in the order given, then by memory."""
    groups: defaultdict[tuple[str, str], list[Usage]] = defaultdict(list)
    for row in rows:
        groups[row.component, row.cluster if row.cluster in hub else ""].append(row)
    found = [_peak(component, cluster, group) for (component, cluster), group in groups.items()]
    rank = {name: number for number, name in enumerate(hub)}
    return sorted(found, key=lambda peak: (rank.get(peak.clusters, len(rank)), -peak.rss_peak, peak.component))


def _peak(component: str, cluster: str, group: Sequence[Usage]) -> Peak:
    rounds = _rounds(group)
    totals = [
        (
            sum(row.cpu_cores or 0.0 for row in members.values()),
            sum(row.rss_bytes for row in members.values()),
            sum(row.fds for row in members.values()),
        )
        for members in rounds
    ]
    means: defaultdict[str, list[float]] = defaultdict(list)
    for row in group:
        if row.cpu_cores is not None:
            means[row.program].append(row.cpu_cores)
    others = {row.cluster for row in group if row.cluster}
    return Peak(
        component=component,
        clusters=cluster or (f"{len(others)} clusters" if len(others) > 1 else next(iter(others), "")),
        programs=len({row.program for row in group}),
        cpu_mean=sum(sum(values) / len(values) for values in means.values()),
        cpu_peak=max(total[0] for total in totals),
        rss_peak=max(total[1] for total in totals),
        fds_peak=max(total[2] for total in totals),
    )


def _rounds(group: Sequence[Usage]) -> list[dict[str, Usage]]:
    """Programs are measured one after another; a round is over when one of them comes again."""
    rounds: list[dict[str, Usage]] = []
    for row in group:
        if not rounds or row.program in rounds[-1]:
            rounds.append({})
        rounds[-1][row.program] = row
    return rounds


def requests(recorded: Recorded) -> list[Requests]:
    """Requests per trial by API server, setting and verb, from `apiserver_request_total`."""
    increments = per_trial(recorded, "apiserver_request_total", "verb")
    return [
        Requests(cluster, setting, verb, value)
        for (_, cluster, setting, verb), value in sorted(increments.items())
        if value > 0
    ]


def waiting(recorded: Recorded) -> list[Waiting]:
    """Time in the client-side rate limiter, from `rest_client_rate_limiter_duration_seconds_sum`."""
    increments = per_trial(recorded, "rest_client_rate_limiter_duration_seconds_sum", "")
    elapsed: defaultdict[Setting, list[float]] = defaultdict(list)
    for plan in recorded.trials:
        if plan.repeat >= 0:
            start, end = recorded.span(plan)
            elapsed[setting_of(plan)].append((end - start) / 1e9)
    return [
        Waiting(component, setting, value, _mean(elapsed[setting]))
        for (component, _, setting, _), value in sorted(increments.items())
    ]


def per_trial(
    recorded: Recorded, name: str, label: str, without: Callable[[Mapping[str, str]], bool] = lambda _: False
) -> dict[tuple[str, str, Setting, str], float]:
    """Mean increment per counted trial of a counter, by component, cluster, setting and value of `label`; series whose
    labels are `without` something are left out.

    The counter is read at the last sample at or before the trial's load (else its first) and at the last one of the
    trial. A counter that fell began again with its program, and one that is new on a page that was read before began
    at 0: what it shows is then the increment.
    """
    totals: defaultdict[tuple[str, str, Setting, str], float] = defaultdict(float)
    counts: defaultdict[Setting, int] = defaultdict(int)
    for plan in recorded.trials:
        counts[setting_of(plan)] += int(plan.repeat >= 0)
    for one in increments(recorded, name, without):
        totals[one.component, one.cluster, setting_of(one.trial), one.labels.get(label, "")] += one.value
    return {key: total / counts[key[2]] for key, total in totals.items()}


class Increment(NamedTuple):
    """By how much one series of a counter grew in one counted trial."""

    component: str
    cluster: str
    labels: Mapping[str, str]
    trial: TrialPlan
    value: float


def increments(
    recorded: Recorded, name: str, without: Callable[[Mapping[str, str]], bool] = lambda _: False
) -> Iterator[Increment]:
    """Every series of a counter in every counted trial, as `per_trial` reads them."""
    series: defaultdict[tuple[str, str, str], list[MetricSample]] = defaultdict(list)
    pages: dict[tuple[str, str], int] = {}
    for sample in recorded.metrics:
        pages.setdefault((sample.component, sample.cluster), sample.ns)
        if sample.name == name:
            series[sample.component, sample.cluster, sample.labels].append(sample)
    trials = [(plan, *recorded.span(plan)) for plan in recorded.trials if plan.repeat >= 0]
    for (component, cluster, labels), samples in series.items():
        parts = dict(pair.partition("=")[::2] for pair in labels.split(","))
        if without(parts):
            continue
        first = pages[component, cluster]
        if samples[0].ns > first:
            samples.insert(0, msgspec.structs.replace(samples[0], ns=first, value=0.0))
        for plan, start, end in trials:
            yield Increment(component, cluster, parts, plan, _increment(samples, start, end))


def _increment(samples: Sequence[MetricSample], start: int, end: int) -> float:
    first = max(0, bisect_right(samples, start, key=lambda sample: sample.ns) - 1)
    last = bisect_right(samples, end, key=lambda sample: sample.ns)
    total = 0.0
    for former, latter in pairwise(samples[first:last]):
        total += latter.value - former.value if latter.value >= former.value else latter.value
    return total


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
