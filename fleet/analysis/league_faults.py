"""What the faults of a league did to each entrant: noticed, recovered, backlog, extra requests, what the checker found.

A row per fault and entrant over all trials of all rounds. Extra requests are those of a trial with the fault beyond
the median trial of the same entrant, division and setting without one, which another load of the league must provide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from fleet.analysis.recovery import FaultRow, by_fault, fault_rows
from fleet.analysis.setting import Setting
from fleet.model.league_file import Division

if TYPE_CHECKING:
    from fleet.analysis.league import Entry


@dataclass(frozen=True)
class FaultStanding:
    """One fault of one load under one entrant."""

    division: Division
    load: str
    entrant: str
    row: FaultRow
    extra: float | None
    """Requests to the hub's API servers, median over trials; None where no load of the league is without faults."""
    findings: int
    """Of the checker, in the runs of that load."""


def fault_standings(entries: Sequence[Entry]) -> list[FaultStanding]:
    """In the order of the loads; the faults of a load by setting, then the entrants as they were first played."""
    calm: defaultdict[tuple[str, Division, Setting], list[float]] = defaultdict(list)
    for entry in entries:
        if not entry.faults:
            for setting, values in entry.requests.items():
                calm[entry.entrant, entry.division, setting] += values
    found = [one for group in _together(entries) for one in _standings(group, calm)]
    order = list(dict.fromkeys(entry.entrant for entry in entries))
    loads = list(dict.fromkeys(entry.load for entry in entries))
    return sorted(
        found,
        key=lambda one: (
            one.division, loads.index(one.load), Setting(one.row.layout, one.row.wecs, one.row.point).order,
            one.row.action, one.row.target, order.index(one.entrant),
        ),
    )  # fmt: skip


def _together(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Runs of one entrant in one division under one load with faults."""
    groups: defaultdict[tuple[str, Division, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.faults:
            groups[entry.entrant, entry.division, entry.load].append(entry)
    yield from groups.values()


def _standings(
    group: Sequence[Entry], calm: dict[tuple[str, Division, Setting], list[float]]
) -> Iterator[FaultStanding]:
    first = group[0]
    found = by_fault([trial for entry in group for trial in entry.faults])
    for (_, _, setting), trials in found.items():
        (row,) = fault_rows(trials, [], frozenset())
        usual = calm.get((first.entrant, first.division, setting), [])
        asked = [trial.requests for trial in trials if trial.requests is not None]
        yield FaultStanding(
            division=first.division,
            load=first.load,
            entrant=first.entrant,
            row=row,
            extra=median(asked) - median(usual) if asked and usual else None,
            findings=sum(entry.findings for entry in group),
        )
