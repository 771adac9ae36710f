"""The standings of a league as a page of Markdown, and as rows for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from fleet.analysis.league import CHANGES, Against, Entry, Group, Latency, Standings
from fleet.analysis.league_faults import FaultStanding
from fleet.model.client_limits import BURST, QPS
from fleet.model.league_file import League
from fleet.report.markdown import lines_of, plain
from fleet.report.tables import ABSENT, Table

DIVISIONS = {
    "closed": "Closed division: each manager as its own distribution has it",
    "open": "Open division: client limits raised to {qps:g} requests a second and {burst} at once",
}
RULES = """
- Closed division: defaults of each manager's distribution. Open division: all its client limits raised alike, and what
  the table of entrants names. Rows of different divisions are never compared.
- Only one manager's programs and agents run at a time, on the same WECs, all in one scheduling group.
- In each round every entrant has a turn; every other round goes backwards.
- Arrival is the time from the object at the hub until it is in its WEC, by watches of the driver: `downsync` of each
  run. Percentiles are of the samples of all rounds; the interval is for the median of a round, over rounds (95 %,
  Student), and needs 3.
- Against the fastest: ratio of the medians of the same round, its interval at 95 % for all comparisons of a table
  together. `slower`: the interval lies above 1; `no difference`: it ends below what matters; else `too few to tell`.
- Status back means what each manager promises of it, which is not the same: see the entrants. It is not ranked.
- Update and removal are the times from the request to change or delete an object until that is in force in a WEC.
- Requests are those that the hub's API servers answered, without watches and leases. CPU is of the time from the first
  object until all is back (updates and removals left out). Both are per object and WEC.
- Every row is made from the runs below it; `fleet report RUN` has each run whole.
"""

FAULTS = """
Noticed: from the order to inject it to the first sign of it in the run's record; empty where there was none. Recovery:
from its end until every object was right again in every WEC, median and worst over trials that recovered. Backlog: most
pairs of object and WEC that were not right at once. Extra requests: to the hub's API servers, beyond a trial of the
same entrant without a fault. All but the worst are medians over trials. Findings: what `fleet check`
found in these runs.
"""


def markdown(found: Standings) -> str:
    """The whole page."""
    return "\n".join(_lines(found)) + "\n"


def items(found: Standings) -> list[dict[str, Any]]:
    """A row per division, load, setting and entrant; seconds."""
    return [
        {
            "division": group.division,
            "load": group.load,
            "layout": group.setting.layout,
            "wecs": group.setting.wecs,
            "place": place,
            "entrant": row.entrant,
            "manager": row.manager.shown,
            "version": row.manager.version,
            "arrival": asdict(row.arrival),
            "back": None if row.back is None else {"stage": row.back_stage, **asdict(row.back)},
            "changes": {name: asdict(latency) for name, latency in row.changes.items()},
            "against": None if row.against is None else asdict(row.against),
            "requests": row.requests,
            "cpu_seconds": {"hub": row.hub_cpu, "agents": row.agents_cpu, "servers": row.servers_cpu},
            "predicted": row.predicted,
            "stages": [{"name": name, "p50": seconds} for name, _, seconds in row.stages],
            "rounds": row.rounds,
            "partial": row.partial,
            "runs": list(row.runs),
        }
        for group in found.groups
        for place, row in enumerate(group.standings, 1)
    ]


def _lines(found: Standings) -> Iterator[str]:
    league = found.record.league
    yield f"# League: {plain(league.description or league.name)}"
    yield ""
    yield (
        f"Made by `fleet league table` from {len(found.entries)} runs; the first began {found.record.started}. How to "
        "run one, and what the terms mean: [how-to](how-to/league.md)."
    )
    if found.absent:
        count, whole = len(found.absent), len(found.absent) + len(found.entries)
        yield from ("", f"**Turns without a run that counts: {count}** of {whole}; they are at the end.")
    if found.faults:
        yield from ("", "## Faults", "", FAULTS.strip(), "")
        yield from lines_of(_faults(found.faults))
    for division, groups in groupby(found.groups, key=lambda group: group.division):
        title = DIVISIONS[division].format(qps=league.raised.qps, burst=league.raised.burst)
        yield from ("", f"## {title}")
        for (load, layout), tables in groupby(groups, key=lambda group: (group.load, group.setting.layout)):
            yield from ("", f"### {plain(load)}, {layout}", "")
            shown = [*tables]
            yield from lines_of(_arrival(shown))
            yield ""
            yield from lines_of(_rest(shown))
            said = [(group.setting.wecs, group.why) for group in shown if group.why]
            if said:
                yield ""
                yield from (f"- {wecs} WEC{'s' if wecs != 1 else ''}: {plain(why)}." for wecs, why in said)
    yield from ("", "## Entrants", "")
    yield from lines_of(_entrants(found))
    yield from ("", "Client limits of the closed division, requests a second / at once:", "")
    yield from _limits(found)
    yield from ("", f"Loads, as fields of `{league.experiment}`:", "")
    yield from _loads(league)
    yield from ("", "## Rules", RULES.rstrip())
    yield from ("", "## Runs", "")
    yield from lines_of(_runs(found.entries))
    if found.absent:
        yield from ("", "Turns without a run that counts:", "", *(f"- {plain(why)}" for why in found.absent))


def _arrival(groups: Sequence[Group]) -> Table:
    head = (
        "WECs", "entrant", "arrival p50 (s)", "95 %", "p90", "p99", "max", "n", "missing", "against the fastest",
    )  # fmt: skip
    rows = [
        (
            *_begin(group, at),
            _seconds(row.arrival.p50),
            _interval(row.arrival),
            _seconds(row.arrival.p90),
            _seconds(row.arrival.p99),
            _seconds(row.arrival.max),
            str(row.arrival.count),
            str(row.arrival.missing),
            _against(row.against),
        )
        for group in groups
        for at, row in enumerate(group.standings)
    ]
    return Table(head, rows, frozenset(head) - {"entrant", "against the fastest"})


def _rest(groups: Sequence[Group]) -> Table:
    head = (
        "WECs", "entrant", "status back p50 (s)", "update p50 (s)", "removal p50 (s)", "requests", "CPU hub (ms)",
        "CPU agents (ms)", "CPU API servers (ms)", "last object: least by limits / took (s)",
    )  # fmt: skip
    rows = [
        (
            *_begin(group, at),
            ABSENT if row.back is None else _seconds(row.back.p50),
            *(_seconds(row.changes[name].p50) if name in row.changes else ABSENT for name in CHANGES),
            _number(row.requests, 1),
            _number(row.hub_cpu, 1, 1e3),
            _number(row.agents_cpu, 1, 1e3),
            _number(row.servers_cpu, 1, 1e3),
            ABSENT if row.predicted is None else f"{row.predicted[0]:.2f} / {row.predicted[1]:.2f}",
        )
        for group in groups
        for at, row in enumerate(group.standings)
    ]
    return Table(head, rows, frozenset(head) - {"entrant"})


def _faults(found: Sequence[FaultStanding]) -> Table:
    head = (
        "load", "fault", "WECs", "entrant", "trials", "noticed p50 (s)", "recovery p50 (s)", "max", "not recovered",
        "backlog", "extra requests", "findings",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    former = ""
    for one in found:
        row = one.row
        place = f"{one.division} {one.load} {row.action} {row.target} {row.layout} {row.wecs}"
        load = one.load if len({f.division for f in found}) == 1 else f"{one.load}, {one.division}"
        begin = (load, f"{row.action} of {row.target}", str(row.wecs)) if place != former else ("", "", "")
        former = place
        rows.append(
            (
                *begin,
                one.entrant,
                str(row.repeats),
                _seconds(row.noticed_p50),
                _seconds(row.recovery_p50),
                _seconds(row.recovery_max),
                str(row.unrecovered),
                f"{row.backlog_p50:.0f}",
                _number(one.extra, 0),
                str(one.findings),
            )
        )
    return Table(head, rows, frozenset(head) - {"load", "fault", "entrant"})


def _begin(group: Group, at: int) -> tuple[str, str]:
    """WECs, of the first row of a group only, and the entrant."""
    return str(group.setting.wecs) if at == 0 else "", group.standings[at].entrant


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"


def _interval(latency: Latency) -> str:
    return ABSENT if latency.interval is None else f"{latency.interval[0]:.3f} to {latency.interval[1]:.3f}"


def _number(value: float | None, digits: int, times: float = 1.0) -> str:
    return ABSENT if value is None else f"{value * times:.{digits}f}"


def _against(one: Against | None) -> str:
    if one is None:
        return ABSENT
    return f"{one.verdict}: {one.ratio:.2f}x ({one.low:.2f} to {one.high:.2f})"


def _entrants(found: Standings) -> Table:
    head = ("entrant", "what", "open division besides limits", "programs", "RSS (MiB)", "a status that is back means")
    rows = []
    for entrant in found.record.league.entrants:
        mine = [entry for entry in found.entries if entry.entrant == entrant.name]
        if not mine:
            continue
        manager = mine[-1].manager
        version = "" if manager.version in manager.shown else f" {manager.version}"
        settings = ", ".join(f"{name}={value}" for name, value in entrant.open.items())
        promise = manager.status.summary if manager.status else "no status returns"
        memory = max(entry.memory for entry in mine) / (1 << 20)
        programs = max(entry.programs for entry in mine)
        rows.append(
            (entrant.name, f"{manager.shown}{version}", settings or ABSENT, str(programs), f"{memory:.0f}", promise)
        )
    return Table(head, rows, frozenset({"programs", "RSS (MiB)"}))


def _limits(found: Standings) -> Iterator[str]:
    """As each manager's own distribution has them."""
    managers = {entry.entrant: entry.manager for entry in found.entries}
    for entrant in found.record.league.entrants:
        if (manager := managers.get(entrant.name)) is None:
            continue
        rates = {name.removesuffix(QPS): qps for name, qps in manager.defaults.items() if name.endswith(QPS)}
        limits = [f"`{name}` {qps:g} / {manager.defaults[name + BURST]:g}" for name, qps in rates.items()]
        yield f"- {plain(entrant.name)}: {', '.join(limits) or 'none known'}"


def _loads(league: League) -> Iterator[str]:
    for load in league.loads:
        fields = ", ".join(f"`{text}`" for text in league.sets(load.name))
        yield f"- {plain(load.name)}: {fields or 'the defaults'}"


def _runs(entries: Sequence[Entry]) -> Table:
    head = ("round", "entrant", "division", "load", "run", "verdict")
    rows = [
        (str(entry.round), entry.entrant, entry.division, entry.load, f"`{entry.run}`", entry.status)
        for entry in entries
    ]
    return Table(head, rows, frozenset({"round"}))
