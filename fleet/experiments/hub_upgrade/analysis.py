"""What a run of `hub-upgrade` found: the gap in service, lists, the slowest object and what was lost, per upgrade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.analysis.disturbances import PlannedFault, disturbances
from fleet.analysis.findings import DataColumn, DataTable, Findings, Value
from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.recovery import REQUESTS
from fleet.analysis.resources import increments
from fleet.analysis.samples import Sample
from fleet.analysis.setting import Setting
from fleet.analysis.stats import quantile
from fleet.experiments.hub_upgrade.spec import CONTROL
from fleet.results.events import TrialPlan
from fleet.results.run import RunRecord

TABLE = "upgrades"
STAGE = "downsync"
"""Its end is the object in its WEC."""
COLUMNS = (
    DataColumn(name="upgrade"), DataColumn(name="layout"), DataColumn(name="WECs"), DataColumn(name="trials"),
    DataColumn(name="took", unit="s"), DataColumn(name="gap in service", unit="s", better="lower"),
    DataColumn(name="longest gap", unit="s", better="lower"), DataColumn(name="longest gap undisturbed", unit="s"),
    DataColumn(name="lists"), DataColumn(name="lists undisturbed"),
    DataColumn(name="slowest object", unit="s", better="lower"), DataColumn(name="slowest undisturbed", unit="s"),
    DataColumn(name="copies"), DataColumn(name="lost", better="lower"),
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One counted trial; times in seconds."""

    setting: Setting
    took: float | None
    """From the order to replace the programs until the new ones work; None: nothing was replaced, or it never ended."""
    gap: float
    """Longest time in which nothing arrived in any WEC although something was due to."""
    lists: float | None
    """Requests of the verb LIST that the hub's API servers answered; None where their metrics were not read."""
    slowest: float | None
    copies: int
    """Objects, counted in each WEC that must get them."""
    lost: int
    """Of them: those that never came."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as every experiment's own
    """One table, and a sentence per upgrade."""
    trials = list(_trials(recorded, {cluster.name for cluster in run.fleet.hub()}))
    rows = [row for setting in dict.fromkeys(one.setting for one in trials) if (row := _row(setting, trials))]
    table = DataTable(
        name=TABLE, title="Upgrades under load", columns=list(COLUMNS), rows=rows, key=["upgrade", "layout", "WECs"]
    )
    return Findings(tables=[table] if rows else [], said=[_sentence(row) for row in rows])


def longest_gap(samples: Sequence[Sample], begin_ns: int, end_ns: int) -> float:
    """Seconds of `[begin_ns, end_ns]` in which nothing arrived while an object was under way: from the later of the
    arrival before and the moment when the first of those still under way was accepted, to the next arrival.

    What never arrives is under way to the end.
    """
    spans = sorted((one.end_ns or end_ns, one.start_ns) for one in samples if one.start_ns is not None)
    arrivals = [end for end, _ in spans]
    oldest: list[int] = []
    """Of the spans from this one on: when the first of them began."""
    for _, start in reversed(spans):
        oldest.append(min(start, oldest[-1]) if oldest else start)
    longest = 0
    for at, oldest_ns in enumerate(reversed(oldest)):
        former = arrivals[at - 1] if at else begin_ns
        since, until = max(former, oldest_ns, begin_ns), min(arrivals[at], end_ns)
        longest = max(longest, until - since)
    return longest / 1e9


def _trials(recorded: Recorded, hub: set[str]) -> Iterator[Trial]:
    faults = {fault.trial: fault for fault in disturbances(recorded).faults}
    lists: dict[str, float] = {}
    for one in increments(recorded, REQUESTS):
        if one.cluster in hub and one.labels.get("verb") == "LIST":
            lists[one.trial.trial] = lists.get(one.trial.trial, 0.0) + one.value
    samples: dict[str, list[Sample]] = {}
    for sample in recorded.join.samples():
        if sample.stage == STAGE and sample.cluster:
            samples.setdefault(sample.trial, []).append(sample)
    for plan in recorded.trials:
        if plan.repeat >= 0:
            yield _trial(plan, recorded, samples.get(plan.trial, []), faults.get(plan.trial), lists.get(plan.trial))


def _trial(
    plan: TrialPlan, recorded: Recorded, samples: Sequence[Sample], fault: PlannedFault | None, lists: float | None
) -> Trial:
    begin, end = recorded.span(plan)
    slowest = [sample.seconds for sample in samples if sample.seconds is not None]
    return Trial(
        setting=setting_of(plan),
        took=(fault.end_ns - fault.start_ns) / 1e9 if fault is not None and fault.end_ns is not None else None,
        gap=longest_gap(samples, fault.start_ns if fault is not None else begin, end),
        lists=lists,
        slowest=max(slowest, default=None),
        copies=len(samples),
        lost=len(samples) - len(slowest),
    )


def _row(setting: Setting, trials: Sequence[Trial]) -> list[Value] | None:
    """Of an upgrade that was done in one trial or more."""
    mine = [one for one in trials if one.setting == setting and one.took is not None]
    if not mine:
        return None
    calm = [one for one in trials if one.setting == setting._replace(point=CONTROL)]
    return [
        setting.point,
        setting.layout,
        setting.wecs,
        len(mine),
        _median([one.took for one in mine]),
        _median([one.gap for one in mine]),
        max(one.gap for one in mine),
        max((one.gap for one in calm), default=None),
        _median([one.lists for one in mine]),
        _median([one.lists for one in calm]),
        _most([one.slowest for one in mine]),
        _most([one.slowest for one in calm]),
        sum(one.copies for one in mine),
        sum(one.lost for one in mine),
    ]


def _sentence(row: Sequence[Value]) -> str:
    upgrade, layout, wecs, trials, took, _, gap, calm_gap, lists, calm_lists, slowest, calm_slowest, copies, lost = row
    return (
        f"{upgrade} under load ({layout}, {wecs} WECs, {trials} trials): took {_seconds(took)}; for up to"
        f" {_seconds(gap)} nothing arrived (undisturbed {_seconds(calm_gap)}); {_count(lists)} lists at the hub"
        f" (undisturbed {_count(calm_lists)}); the slowest object took {_seconds(slowest)} (undisturbed"
        f" {_seconds(calm_slowest)}); {lost} of {copies} copies were lost."
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return quantile(known, 0.5) if known else None


def _most(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _seconds(value: Value) -> str:
    return "not known" if value is None else f"{float(value):.2f} s"


def _count(value: Value) -> str:
    return "not counted" if value is None else f"{float(value):.0f}"
