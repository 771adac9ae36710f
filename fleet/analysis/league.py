"""The standings of a league: what each entrant did in each division, under each load, at each setting.

Percentiles are of the samples of all rounds together. Intervals are over rounds: a round's median is one value, and
rounds are what repeats independently. Entrants are compared with the fastest by the ratio of medians within a round,
which the turns of one round share with the machine's state of that hour.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from fleet.analysis.costs import Cost, costs
from fleet.analysis.hop_table import ACTIVATED
from fleet.analysis.league_faults import FaultStanding, fault_standings
from fleet.analysis.recorded import setting_of
from fleet.analysis.recovery import FaultTrial, requests_of_trials
from fleet.analysis.resources import peaks
from fleet.analysis.setting import Setting
from fleet.analysis.stats import mean_interval, p99, quantile
from fleet.analysis.study import Study, analyse
from fleet.model.league_file import Division
from fleet.model.manager_record import ManagerRecord
from fleet.results.folder import RunFolder
from fleet.results.league import LeagueRecord

ARRIVAL = "downsync"
BACK = ("e2e", "e2e_reported")
"""Until the status is back; the first that the manager has."""
CHANGES = ("update", "removal")
"""Of runs that change and delete objects too."""
ENOUGH = 3
"""Rounds for an interval."""
MISS = 0.05
"""Chance that an interval misses."""
SHOWN = 0.005
"""Seconds that are not 0.00."""


@dataclass(frozen=True)
class Entry:
    """One counted run: what the standings keep of it."""

    round: int
    entrant: str
    division: Division
    load: str
    run: str
    """Its folder, relative to the league's."""
    manager: ManagerRecord
    status: str
    seconds: Mapping[tuple[str, Setting], Sequence[float]]
    """Counted samples with an end, by stage and setting, ascending."""
    missing: Mapping[tuple[str, Setting], int]
    costs: Mapping[Setting, Cost]
    floors: Mapping[Setting, tuple[float, float, str]]
    """Least seconds until the last WEC has its last object: what is fixed, with the limits, and the limit that takes
    most."""
    measured: Mapping[Setting, float | None]
    """The same as it was."""
    programs: int
    """Of the manager, agents included, in the whole fleet."""
    memory: int
    """Bytes: RSS of those programs at their peak."""
    requests: Mapping[Setting, Sequence[float]]
    """To the hub's API servers, of each counted trial."""
    faults: Sequence[FaultTrial]
    findings: int
    """Of the checker."""

    @classmethod
    def of(cls, study: Study, **turn: object) -> Entry:
        """Of an analysed run."""
        found: defaultdict[tuple[str, Setting], list[float]] = defaultdict(list)
        missing: defaultdict[tuple[str, Setting], int] = defaultdict(int)
        for sample in study.samples:
            if sample.counted and sample.seconds is not None:
                found[sample.stage, sample.setting].append(sample.seconds)
            elif sample.counted:
                missing[sample.stage, sample.setting] += 1
        run = study.run
        mine = [row for row in study.usages if row.component in run.manager.components]
        hub = [cluster.name for cluster in run.fleet.hub()]
        high = peaks(mine, hub)
        where = {plan.trial: setting_of(plan) for plan in study.recorded.trials}
        asked: defaultdict[Setting, list[float]] = defaultdict(list)
        for trial, value in requests_of_trials(study.recorded, hub).items():
            asked[where[trial]].append(value)
        return cls(
            manager=run.manager,
            status=study.verdict.status,
            seconds={key: sorted(values) for key, values in found.items()},
            missing=dict(missing),
            costs={cost.setting: cost for cost in costs(run, study.recorded)},
            floors={p.setting: (p.fixed, p.downsync_floor, p.binding_limit) for p in study.predictions},
            measured={p.setting: p.downsync_measured for p in study.predictions},
            programs=sum(peak.programs for peak in high),
            memory=sum(peak.rss_peak for peak in high),
            requests=dict(asked),
            faults=tuple(study.faults),
            findings=len(study.checked.findings),
            **turn,  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class Latency:
    """One stage over all rounds; seconds."""

    count: int
    missing: int
    p50: float
    p90: float
    p99: float | None
    """None below 100 samples."""
    max: float
    interval: tuple[float, float] | None
    """95 % for the median of a round, over rounds; None with fewer than 3."""


@dataclass(frozen=True)
class Against:
    """How much slower than the fastest, at the median; a ratio of 2 is twice as long."""

    ratio: float
    low: float
    high: float
    verdict: str
    """`slower`, `no difference` or `too few to tell`."""


@dataclass(frozen=True)
class Standing:
    """One entrant at one setting."""

    entrant: str
    manager: ManagerRecord
    arrival: Latency
    back: Latency | None
    """Until the status is back; None where none comes back."""
    back_stage: str
    changes: Mapping[str, Latency]
    """By stage of `CHANGES`, as far as the runs have it: from the request to change or delete until it is in force."""
    requests: float | None
    """To the hub's API servers, per object and WEC."""
    hub_cpu: float | None
    """CPU seconds of the manager's programs at the hub, per object and WEC."""
    agents_cpu: float | None
    servers_cpu: float | None
    """Of the hub's API servers and stores."""
    predicted: tuple[float, float] | None
    """Seconds until the last WEC has its last object: the least that fixed delays and client limits allow, and what it
    took."""
    against: Against | None
    """None for the fastest, and below 3 rounds."""
    rounds: int
    runs: Sequence[str]
    partial: int
    """Runs whose verdict is partial."""
    stages: Sequence[tuple[str, str, float]] = ()
    """Of its way to the WEC: name, what it is, median in seconds."""


@dataclass(frozen=True)
class Group:
    """What is compared: one division, load and setting; the fastest first."""

    division: Division
    load: str
    setting: Setting
    standings: Sequence[Standing]
    why: str
    """Why the slowest is the slowest, with the evidence."""


@dataclass(frozen=True)
class Standings:
    """The whole of a league."""

    record: LeagueRecord
    groups: Sequence[Group]
    entries: Sequence[Entry]
    faults: Sequence[FaultStanding] = field(default=())
    absent: Sequence[str] = field(default=())
    """Turns that have no run that counts, and why."""


def standings(leagues: Sequence[tuple[Path, LeagueRecord]], threshold: float) -> Standings:
    """Of all runs of these folders, which are of one league. `threshold`: least share that matters, 0.1 for 10 %."""
    entries, absent = [], []
    for folder, record in leagues:
        for played in record.turns:
            if not played.run:
                continue
            study = analyse(RunFolder.open(folder / played.run))
            if study.verdict.status == "invalid":
                absent.append(f"{played.turn}: {'; '.join(study.verdict.reasons)}")
                continue
            turn = played.turn.model_dump()
            entries.append(Entry.of(study, run=played.run, **turn))
        failed = {played.turn: played.error for played in record.turns}
        absent += [f"{turn}: {failed.get(turn, 'not played')}" for turn in record.open()]
    return Standings(leagues[0][1], [*_groups(entries, threshold)], entries, fault_standings(entries), absent)


def _groups(entries: Sequence[Entry], threshold: float) -> Iterator[Group]:
    found: defaultdict[tuple[Division, str, Setting], defaultdict[str, list[Entry]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for entry in entries:
        for stage, setting in entry.seconds:
            if stage == ARRIVAL:
                plain = Setting(setting.layout, setting.wecs)
                found[entry.division, entry.load, plain][entry.entrant].append(entry)
    for (division, load, setting), mine in sorted(found.items(), key=lambda item: (*item[0][:2], item[0][2].order)):
        medians = {name: _medians(runs, setting) for name, runs in mine.items()}
        order = sorted(mine, key=lambda name: median(medians[name].values()))
        rows = [
            _standing(name, mine[name], setting, _against(medians[name], medians[order[0]], len(order) - 1, threshold))
            for name in order
        ]
        yield Group(division, load, setting, rows, _why(rows))


def _medians(runs: Sequence[Entry], setting: Setting) -> dict[int, float]:
    """Of arrival, by round."""
    return {run.round: median(_of(run, ARRIVAL, setting)) for run in runs}


def _of(run: Entry, stage: str, setting: Setting) -> list[float]:
    """Samples of that stage at all points of that layout and WEC count."""
    return [
        value
        for (name, where), values in run.seconds.items()
        if name == stage and where[:2] == setting[:2]
        for value in values
    ]


def _against(mine: Mapping[int, float], best: Mapping[int, float], others: int, threshold: float) -> Against | None:
    """Over the rounds that both have; at 95 % for all comparisons with the fastest together (Bonferroni)."""
    shared = sorted(set(mine) & set(best))
    if mine is best or len(shared) < ENOUGH:
        return None
    logs = [math.log(mine[number] / best[number]) for number in shared]
    found = mean_interval(logs, MISS / max(1, others))
    ratio, low, high = math.exp(found.mean), math.exp(found.low), math.exp(found.high)
    if low > 1:
        verdict = "slower"
    elif high < 1 + threshold:
        verdict = "no difference"
    else:
        verdict = "too few to tell"
    return Against(ratio, low, high, verdict)


def _standing(name: str, runs: Sequence[Entry], setting: Setting, against: Against | None) -> Standing:
    arrival = _latency(runs, ARRIVAL, setting)
    assert arrival is not None  # noqa: S101 - _groups takes runs that have samples of it
    stage = next((stage for stage in BACK if any(_of(run, stage, setting) for run in runs)), "")
    taken = [cost for run in runs for where, cost in run.costs.items() if where[:2] == setting[:2]]
    floors = [floor for run in runs for where, floor in run.floors.items() if where[:2] == setting[:2]]
    spans = [span for run in runs for where, span in run.measured.items() if where[:2] == setting[:2] and span]
    agents = _mean([cost.agents_cpu for cost in taken])
    whole = _mean([cost.manager_cpu for cost in taken])
    return Standing(
        entrant=name,
        manager=runs[0].manager,
        arrival=arrival,
        back=_latency(runs, stage, setting) if stage else None,
        back_stage=stage,
        changes={name: found for name in CHANGES if (found := _latency(runs, name, setting)) is not None},
        requests=_mean([cost.requests for cost in taken]),
        hub_cpu=None if whole is None or agents is None else max(0.0, whole - agents),
        agents_cpu=agents,
        servers_cpu=_mean([cost.server_cpu for cost in taken]),
        predicted=(median(floor[1] for floor in floors), median(spans)) if floors and spans else None,
        against=against,
        rounds=len({run.round for run in runs}),
        runs=tuple(run.run for run in runs),
        partial=sum(run.status == "partial" for run in runs),
        stages=tuple(_stages(runs, setting)),
    )


def _latency(runs: Sequence[Entry], stage: str, setting: Setting) -> Latency | None:
    each = [values for run in runs if (values := _of(run, stage, setting))]
    if not each:
        return None
    whole = sorted(value for values in each for value in values)
    lost = sum(
        n for run in runs for (name, where), n in run.missing.items() if name == stage and where[:2] == setting[:2]
    )
    medians = [math.log(median(values)) for values in each if median(values) > 0]
    interval = None
    if len(medians) >= ENOUGH:
        found = mean_interval(medians, MISS)
        interval = math.exp(found.low), math.exp(found.high)
    return Latency(len(whole), lost, quantile(whole, 0.5), quantile(whole, 0.9), p99(whole), whole[-1], interval)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _stages(runs: Sequence[Entry], setting: Setting) -> Iterator[tuple[str, str, float]]:
    """The manager's own stages up to the object in the WEC."""
    manager = runs[0].manager
    marks = [hop.mark for hop in manager.hops if hop.mark]
    if ACTIVATED not in marks:
        return
    way = set(marks[: marks.index(ACTIVATED) + 1])
    for stage in manager.stages:
        values = [value for run in runs for value in _of(run, stage.name, setting)]
        if stage.ends in way and stage.begins in way and values:
            yield stage.name, stage.text, quantile(sorted(values), 0.5)


def _why(rows: Sequence[Standing]) -> str:
    """Of the slowest: where its time went, what is fixed of it, and what the limits predict."""
    last = rows[-1]
    if len(rows) == 1 or (last.against is not None and last.against.verdict != "slower"):
        return ""
    said = []
    if last.stages:
        name, text, seconds = max(last.stages, key=lambda stage: stage[2])
        said.append(
            f"{last.entrant} takes {seconds:.2f} s of its {last.arrival.p50:.2f} s (medians) for `{name}` ({text})"
        )
    said += [
        f"{delay.seconds:g} s of the way to `{delay.mark}` are a fixed {delay.name}"
        for delay in last.manager.fixed
        if any(
            stage.ends == delay.mark and stage.name in {one[0] for one in last.stages} for stage in last.manager.stages
        )
    ]
    if last.predicted:
        least, took = last.predicted
        until = f"of the {took:.2f} s until the last WEC has its last object"
        said.append(
            f"fixed delays and client limits alone require {least:.2f} s {until}"
            if least >= SHOWN
            else f"neither fixed delays nor client limits explain any {until}"
        )
    return "; ".join(said)
