"""CPU that went to programs outside of the fleet, or to other guests of a hypervisor, while trials were under way."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fleet.analysis.recorded import Recorded
from fleet.results.events import HostSample, ProcessSample

Sampled = TypeVar("Sampled", HostSample, ProcessSample)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of one host, shares of all its CPU time in the counted trials."""

    machines: tuple[str, ...]
    others: float
    """Neither the fleet's programs nor the driver; a program that ends between two samples is counted in part."""
    stolen: float
    """By the hypervisor. Outside of `others`: the host was not running then."""
    worst: float
    """Largest share of others and stolen in one trial."""
    trial: str
    """Which one that was."""


@dataclass(slots=True)
class _Use:
    others: float = 0.0
    stolen: float = 0.0
    whole: float = 0.0


def neighbours(recorded: Recorded) -> list[Neighbours]:
    """One per host that was sampled twice in a counted trial, in the order of first sight."""
    hosts: defaultdict[str, list[HostSample]] = defaultdict(list)
    for sample in recorded.hosts:
        hosts[sample.host].append(sample)
    return [found for samples in hosts.values() if (found := _host(recorded, samples)) is not None]


def _host(recorded: Recorded, samples: Sequence[HostSample]) -> Neighbours | None:
    machines = tuple(dict.fromkeys(name for sample in samples for name in sample.machines))
    series: defaultdict[tuple[str, ...], list[HostSample]] = defaultdict(list)
    for sample in samples:
        series[tuple(sample.machines)].append(sample)
    programs = _programs(sample for sample in recorded.processes if sample.machine in machines)
    total, worst, trial = _Use(), 0.0, ""
    for plan in recorded.trials:
        if plan.repeat < 0:
            continue
        use = _use(list(series.values()), programs, *recorded.span(plan))
        if use.whole <= 0:
            continue
        total.others, total.stolen = total.others + use.others, total.stolen + use.stolen
        total.whole += use.whole
        share = (use.others + use.stolen) / use.whole
        if share >= worst:
            worst, trial = share, plan.trial
    if total.whole <= 0:
        return None
    return Neighbours(machines, total.others / total.whole, total.stolen / total.whole, worst, trial)


def _programs(samples: Iterable[ProcessSample]) -> list[list[ProcessSample]]:
    found: defaultdict[tuple[str, str, int], list[ProcessSample]] = defaultdict(list)
    for sample in samples:
        found[sample.machine, sample.program, sample.pid].append(sample)
    return list(found.values())


def _use(
    series: Sequence[Sequence[HostSample]], programs: Sequence[Sequence[ProcessSample]], start: int, end: int
) -> _Use:
    """Between the samples at, or last before, `start` and `end`; the first there is where none is before."""
    ends = [(at_or_before(samples, start) or samples[0], at_or_before(samples, end)) for samples in series]
    first, last = ends[0]
    if last is None or last.ns <= first.ns:
        return _Use()
    ours = sum(then.harness_seconds - former.harness_seconds for former, then in ends if then is not None)
    for samples in programs:
        then = at_or_before(samples, last.ns)
        former = at_or_before(samples, first.ns)
        # One that was not there at the first look has used all of it since.
        ours += (then.cpu_seconds if then else 0.0) - (former.cpu_seconds if former else 0.0)
    whole = first.cores * (last.ns - first.ns) / 1e9
    others = last.busy_seconds - first.busy_seconds - ours
    return _Use(max(0.0, others), max(0.0, last.stolen_seconds - first.stolen_seconds), whole)


def at_or_before(samples: Sequence[Sampled], ns: int) -> Sampled | None:
    """The last sample at or before that moment; the samples are in the order of their time."""
    found = bisect_right(samples, ns, key=lambda sample: sample.ns)
    return samples[found - 1] if found else None
