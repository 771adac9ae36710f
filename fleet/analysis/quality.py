"""Whether to believe a run, and why not: the first thing that its report says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from fleet.analysis.cpu_contention import neighbours
from fleet.analysis.disturbance_text import outside, planned, reasons
from fleet.analysis.disturbances import (
    Disturbances,
    disturbances,
    excused,
    flagged,
    unplanned_gaps,
    unplanned_states,
)
from fleet.analysis.fidelity import fidelity, shortfalls
from fleet.analysis.findings import NOTHING, Findings
from fleet.analysis.recorded import Recorded
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.analysis.setting import Setting
from fleet.analysis.stats import quantile
from fleet.results.run import RunRecord

Status = Literal["valid", "partial", "invalid"]

LAG_SECONDS = 0.005
"""At the 99th percentile of the driver's loop lag: above it the stamps themselves are in doubt, and that is said."""
LAG_SHARE = 0.02
"""Of the median downsync: a lag above both makes the run harness-bound."""
RACE_SECONDS = 0.05
"""Two watches race by a few milliseconds; more than this, and a server notified one of its watchers late."""
RACE_SHARE = 0.02
"""Of the median of the latency that the stage is a part of: a race above both is a late one."""
LATE_RACES = 0.05
"""Share of a stage's samples in a setting that may be late races: its median and p90 stand without them."""
OTHERS_SHARE = 0.1
"""Of a host's CPU time: more than this to other programs, or stolen, and the latencies include their effect."""
_TOTALS = dict.fromkeys(("workload", "report", "finalization", "status"), ("e2e", "e2e_reported"))
"""What a stage is a part of, where that is not downsync."""
_WHOLE = frozenset({"downsync", "e2e", "e2e_reported"})
"""These begin with the driver's own request: no race can make them negative."""

_FATAL = frozenset({"not-settled", "unsettled"})
"""Anomalies after which the fixed 2 s hold-back may or may not be in a latency."""
_HARMLESS = frozenset({"audit", "metrics", "left-behind"})
"""Anomalies that cost a side table or a later run, not a latency."""
_TOLD = frozenset({"incomplete"})
"""Anomalies that the missing samples show already."""


@dataclass(frozen=True)
class Verdict:
    """`reasons` say why it is not valid, most serious first; `warnings` are worth knowing and change nothing;
    `findings` are what the run found out: who fights, what leaks."""

    status: Status
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    """Disturbances that the experiment itself made, by `during`."""
    known: tuple[str, ...] = ()
    """How exactly latencies are known, of a run that kept audit lines."""

    @property
    def exit_code(self) -> int:
        """0 or 4 (measurement partial or invalid)."""
        return 0 if self.status == "valid" else 4


@dataclass(slots=True)
class _Case:
    fatal: list[str]
    partial: list[str]
    warnings: list[str]


def judge(
    record: RunRecord,
    recorded: Recorded,
    samples: Iterable[Sample],
    own: Findings = NOTHING,
    *,
    lost: int = 0,
    torn: bool = False,
    modified: Sequence[str] = (),
) -> Verdict:
    """The verdict, by the rules of today: of what a driver wrote down only what it alone can know is taken.

    `samples` are all, those of the experiment's `own` findings among them. `lost` lines could not be
    read, `torn`: the last one among them, cut off; `modified` files are not what the manifest says.
    """
    case = _Case([], [], [])
    found = disturbances(recorded)
    counted = flagged(samples, found).counted
    excusable = excused(recorded, found)
    undisturbed = counted.about(lambda subject: subject.trial not in excusable)
    _ending(case, record, lost, torn=torn)
    case.partial += [*reasons(recorded, found, counted), *own.reasons]
    _completeness(case, counted, recorded, own)
    _races(case, undisturbed)
    _blindness(case, undisturbed, recorded, found)
    _driver(case, record, counted, own)
    _neighbours(case, recorded)
    _load(case, recorded, counted)
    _anomalies(case, recorded)
    _unweighed(case, record)
    case.warnings += own.warnings
    case.warnings += outside(recorded, found)
    case.warnings += [f"{name} was changed after the run had been sealed" for name in modified]
    status: Status = "invalid" if case.fatal else "partial" if case.partial else "valid"
    return Verdict(
        status,
        tuple(dict.fromkeys([*case.fatal, *case.partial])),
        tuple(case.warnings),
        planned=planned(recorded, found, counted),
    )


def _ending(case: _Case, record: RunRecord, lost: int, *, torn: bool) -> None:
    if record.status == "running":
        text = "the run did not finish: its driver died or could not write any more; what it had written is here"
        case.partial.append(text)
    case.partial += [ending.text for ending in record.endings]
    if record.interrupted and not any(ending.kind == "interrupted" for ending in record.endings):
        case.partial.append(f"interrupted by {record.interrupted}")
    if record.driver.dropped:
        case.partial.append(f"{record.driver.dropped} events could not be written")
    if torn:
        case.warnings.append("the last line of events.jsonl is cut off and was left out")
    unread = lost - int(torn)
    if unread > 0:
        case.partial.append(f"{unread} {_plural(unread, 'line')} of events.jsonl cannot be read")


def _completeness(case: _Case, counted: Samples, recorded: Recorded, own: Findings) -> None:
    absent = counted.missing
    missing = len(absent)
    if missing == len(counted) and (counted or not own.measured):
        case.fatal.append("no counted sample was measured")
    elif missing:
        worst = Counter(absent.count_stages()).most_common(3)
        stages = ", ".join(f"{stage} {count}" for stage, count in worst)
        case.partial.append(f"{missing} of {len(counted)} samples are missing (most: {stages})")
    late = len(counted.flagged("late"))
    if late:
        case.partial.append(f"{late} {_plural(late, 'sample')} ended after the object timeout")
    if recorded.join.strays:
        count = len(recorded.join.strays)
        case.warnings.append(f"{count} {_plural(count, 'object')} came to a WEC that it was not planned for")
    recreated = len(counted.of_stages("downsync").flagged("recreated"))
    if recreated:
        case.warnings.append(f"{recreated} {_plural(recreated, 'object')} in a WEC was replaced by another")


def _races(case: _Case, counted: Samples) -> None:
    """A cause that was seen after its effect: the border of two stages is uncertain by that much, their sum is not."""
    races = counted.negative
    if not races:
        return
    worst = -min(races.seconds())
    stages = ", ".join(f"{stage} {count}" for stage, count in Counter(races.count_stages()).most_common())
    text = f"{len(races)} {_plural(len(races), 'sample')} ended before the start ({stages}), by {worst * 1e3:.1f} ms at"
    text += " most: two watches raced"
    cells = counted.cells()
    total = _totals(cells)
    late = Counter((s.stage, s.setting) for s in races if -(s.seconds or 0) > max(RACE_SECONDS, RACE_SHARE * total(s)))
    if all(stage not in _WHOLE and count <= LATE_RACES * len(cells[stage, s]) for (stage, s), count in late.items()):
        what = ", the largest values of such a stage too" if late else ""
        case.warnings.append(f"{text}; borders between stages are uncertain by that{what}")
    else:
        case.partial.append(text)


def _totals(cells: Mapping[tuple[str, Setting], Samples]) -> Callable[[Sample], float]:
    """Gives the median of the latency that a sample's stage is a part of, in its own setting; 0 where there is none.

    Each median is computed once, so that thousands of races cost no more than a few.
    """

    @cache
    def median(setting: Setting, stages: tuple[str, ...]) -> float:
        mine = (cells[stage, setting] for stage in stages if (stage, setting) in cells)
        found = sorted(seconds for cell in mine for seconds in cell.seconds())
        return quantile(found, 0.5) if found else 0.0

    return lambda part: median(part.setting, _TOTALS.get(part.stage, ("downsync",)))


def _blindness(case: _Case, counted: Samples, recorded: Recorded, found: Disturbances) -> None:
    gaps = unplanned_gaps(recorded, found)
    down = sorted({state.cluster for state in unplanned_states(recorded, found) if state.state == "down"})
    hit = len(counted.flagged("cluster-down"))
    if down:
        names = ", ".join(down[:5]) + (", ..." if len(down) > 5 else "")  # noqa: PLR2004 - what a line holds
        text = f"{len(down)} {_plural(len(down), 'cluster')} did not answer for a while ({names}); "
        text += f"{hit} samples overlap that" if hit else "no counted sample overlaps that"
        (case.partial if hit else case.warnings).append(text)
    gap = len(counted.flagged("gap"))
    if gaps or gap:
        count = len(gaps)
        text = f"{count} {_plural(count, 'gap')} in watches; {gap} samples have an end inside one"
        (case.partial if gap else case.warnings).append(text)
    listed = sum(1 for sample in counted.flagged("listed") if "gap" not in sample.flags)
    if listed:
        case.partial.append(f"{listed} {_plural(listed, 'sample')} were first seen in a list, not in a watch")


def _driver(case: _Case, record: RunRecord, counted: Samples, own: Findings) -> None:
    lag = record.driver.loop_lag_p99
    if lag <= LAG_SECONDS:
        return
    text = f"the driver's event loop was {lag * 1e3:.1f} ms late at its 99th percentile"
    if own.measured and not counted:
        return  # quantities: no stamp became a latency
    median = _longest_median(counted, own.stages) if own.stages else _median_downsync(counted)
    if median is not None and lag <= LAG_SHARE * median:
        case.warnings.append(f"{text}: stages of a few milliseconds are upper bounds")
    else:
        case.partial.append(f"{text}: harness-bound, use a larger or quieter machine for the driver")


def _neighbours(case: _Case, recorded: Recorded) -> None:
    for host in neighbours(recorded):
        if host.others + host.stolen <= OTHERS_SHARE:
            continue
        stolen = f" and the hypervisor {host.stolen:.0%}" if host.stolen > OTHERS_SHARE / 10 else ""
        where = f" of {', '.join(host.machines)}" if host.machines else ""
        case.warnings.append(
            f"programs outside of the fleet took {host.others:.0%}{stolen} of the CPU{where} while it was measured"
            f" (most in trial {host.trial}, {host.worst:.0%}): the latencies include their effect"
        )


def _load(case: _Case, recorded: Recorded, counted: Samples) -> None:
    """An open loop that was behind its schedule made another load than was requested."""
    median = _median_downsync(counted)
    for short in shortfalls(fidelity(recorded)):
        text = f"the driver could not keep up with the load in {short}"
        if short.worst.kept_up and median is not None and short.worst.lag_p99 <= LAG_SHARE * median:
            case.warnings.append(f"{text}: latencies from the scheduled moment hold that in")
        else:
            case.partial.append(text)


def _median_downsync(counted: Samples) -> float | None:
    found = counted.of_stages("downsync").ordered()
    return quantile(found, 0.5) if found else None


def _longest_median(counted: Samples, stages: Sequence[str]) -> float | None:
    """Of an experiment's own stages: the median of the one that takes longest."""
    found = (counted.of_stages(stage).ordered() for stage in stages)
    return max((quantile(values, 0.5) for values in found if values), default=None)


def _anomalies(case: _Case, recorded: Recorded) -> None:
    counts = Counter(anomaly.what for anomaly in recorded.anomalies)
    first = {anomaly.what: anomaly for anomaly in reversed(recorded.anomalies)}
    for what, count in counts.items():
        anomaly = first[what]
        where = " ".join(part for part in (anomaly.trial, anomaly.cluster) if part)
        times = f"{count} times" if count > 1 else ""
        said = ", the first: ".join(part for part in (times, where) if part)
        text = f"{what} ({said}) {anomaly.text}" if said else f"{what} {anomaly.text}"
        if what in _FATAL:
            case.fatal.append(text)
        elif what in _HARMLESS:
            case.warnings.append(text)
        elif what not in _TOLD:
            case.partial.append(text)


def _unweighed(case: _Case, record: RunRecord) -> None:
    """Nothing runs of ours alongside a cluster that exists already: what its programs take is not known."""
    existing = [cluster.name for cluster in record.fleet.clusters if not cluster.built]
    if existing:
        case.warnings.append(
            f"CPU and memory of programs of {len(existing)} existing {_plural(len(existing), 'cluster')} are missing:"
            " only what their API servers report at /metrics is known"
        )


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
