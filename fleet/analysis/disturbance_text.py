"""Sentences about what disturbed a run: for the verdict and the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fleet.analysis.disturbances import Disturbance, Disturbances, PlannedFault
from fleet.analysis.recorded import Recorded
from fleet.analysis.sample_columns import Samples

NAMED = 6
"""So many moments and trials in a sentence; the rest is counted."""


def reasons(recorded: Recorded, found: Disturbances, counted: Samples) -> list[str]:
    """Of each subject that something happened to in a counted trial, unplanned: what, when, in which trials."""
    trials = counted.trials()
    hit = [one for one in found.found if not one.planned and trials.intersection(one.trials)]
    said = []
    for group in _by_subject(hit):
        mine = [t for t in dict.fromkeys(t for one in group for t in one.trials) if t in trials]
        number = len(counted.of_trials(mine))
        said.append(
            f"{_happened(group, recorded)}, in {_trials(mine)}: {number} sample{'s' if number != 1 else ''} "
            f"{'are' if number != 1 else 'is'} flagged `disturbed`"
        )
    return said


def outside(recorded: Recorded, found: Disturbances) -> list[str]:
    """What hit no counted trial and nobody planned."""
    counted = {plan.trial for plan in recorded.trials if plan.repeat >= 0}
    rest = [one for one in found.found if not one.planned and not counted.intersection(one.trials)]
    return [f"{_happened(group, recorded)}: no counted trial was under way" for group in _by_subject(rest)]


def planned(recorded: Recorded, found: Disturbances, counted: Samples) -> tuple[str, ...]:
    """One sentence per fault of `during` that was carried out."""
    return tuple(_planned(fault, recorded, found, counted) for fault in found.faults)


def at(ns: int, recorded: Recorded) -> str:
    """A moment as the report's table of events has it: seconds since the run's first line."""
    return f"{(ns - recorded.first_ns) / 1e9:.1f} s"


def _planned(fault: PlannedFault, recorded: Recorded, found: Disturbances, counted: Samples) -> str:
    mine = counted.of_trials([fault.trial])
    lasted = "" if fault.end_ns is None else f", for {(fault.end_ns - fault.start_ns) / 1e9:.1f} s"
    begin = next((recorded.span(plan)[0] for plan in recorded.trials if plan.trial == fault.trial), fault.start_ns)
    text = f"planned: {fault.action} of {fault.target} in trial {fault.trial}, {(fault.start_ns - begin) / 1e9:.1f} s "
    text += f"after its load began{lasted}; its {len(mine)} samples are flagged `planned-fault`"
    blind = len(mine.flagged("gap", "listed", "cluster-down"))
    if blind:
        text += f", {blind} of them hold the time in which a watch was cut off by it"
    restarted = {one.subject for one in found.found if one.planned and fault.covers(one.ns, one.ns)}
    if restarted:
        text += f"; {len(restarted)} program{'s' if len(restarted) != 1 else ''} ended with it"
    return text + ("" if fault.end_ns is not None else "; it was not healed")


def _by_subject(found: Iterable[Disturbance]) -> list[list[Disturbance]]:
    groups: dict[tuple[str, str], list[Disturbance]] = {}
    for one in found:
        groups.setdefault((one.kind, one.subject), []).append(one)
    return list(groups.values())


def _happened(group: Sequence[Disturbance], recorded: Recorded) -> str:
    first = group[0]
    moments = [at(one.ns, recorded) for one in group]
    if len(moments) == 1:
        return f"{first.subject} {first.what} at {moments[0]}"
    return f"{first.subject} {first.what}, and so on {len(moments)} times (at {_some(moments)})"


def _trials(names: Sequence[str]) -> str:
    return f"trial{'s' if len(names) != 1 else ''} {_some(names)}"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more
