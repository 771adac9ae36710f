"""What a fleet at rest took in a run, by part: from the experiment idle, else from the first look of any other run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from fleet.analysis.cpu_shares import carries_planes, owner_of
from fleet.analysis.recorded import Recorded
from fleet.results.events import ProcessSample
from fleet.results.run import RunRecord

PART_OF = {
    "hub control planes": "hub",
    "manager": "manager",
    "agents": "agents",
    "other programs": "other",
    "driver": "other",
    "outside": "other",
}
MEASURED = {
    "pss": "memory",
    "rss": "rss",
    "peak_rss": "peak_rss",
    "cpu": "idle_cpu",
    "descriptors": "descriptors",
    "threads": "threads",
    "inotify": "inotify",
    "build_cpu": "build_cpu",
}
"""Quantities of a program in the experiment idle, and what they are called here."""
WHOLE = ("ports",)
"""Those that it measures of the whole fleet."""

Values = dict[str, float]


class Placed(NamedTuple):
    """Which program."""

    component: str
    cluster: str


class Parts:
    """Says to which part of a fleet a program belongs."""

    def __init__(self, run: RunRecord) -> None:
        self._roles = {cluster.name: cluster.role for cluster in run.fleet.clusters}
        self._manager = run.manager
        self._emulation = {component.component for component in run.fleet.components if component.emulates}

    def of(self, component: str, cluster: str) -> str:
        """One of `fleet.analysis.sizing.quantity.PARTS`."""
        owner = owner_of(Placed(component, cluster), self._roles, self._manager, self._emulation)
        if owner == "emulated WECs":
            return "planes" if carries_planes(component) else "nodes"
        return PART_OF[owner]


def rest_values(run: RunRecord, recorded: Recorded) -> dict[str, Values]:
    """By trial of the experiment idle, counted ones alone; empty for a run that measured no fleet at rest."""
    parts = Parts(run)
    counted = {plan.trial for plan in recorded.trials if plan.repeat >= 0}
    found: defaultdict[str, list[tuple[str, str, float]]] = defaultdict(list)
    whole: defaultdict[str, Values] = defaultdict(dict)
    for one in recorded.measured:
        if one.trial not in counted or "phase" in one.of:
            continue
        if one.name in WHOLE:
            whole[one.trial][one.name] = one.value
        elif one.name in MEASURED and "component" in one.of:
            part = parts.of(one.of["component"], one.of.get("cluster", ""))
            found[one.trial].append((MEASURED[one.name], part, one.value))
    return {trial: {**summed(found[trial]), **whole[trial]} for trial in found}


def first_look(run: RunRecord, recorded: Recorded) -> Values:
    """Memory (RSS), descriptors and threads before the first load began; empty when nothing was measured then."""
    begin = min((recorded.span(plan)[0] for plan in recorded.trials), default=0)
    parts = Parts(run)
    first: dict[tuple[str, str], ProcessSample] = {}
    for sample in recorded.processes:
        if sample.ns < begin:
            first.setdefault((sample.machine, sample.program), sample)
    rows = [
        (name, parts.of(sample.component, sample.cluster), float(value))
        for sample in first.values()
        for name, value in (("rss", sample.rss), ("descriptors", sample.fds), ("threads", sample.threads))
    ]
    return summed(rows)


def summed(rows: Iterable[tuple[str, str, float]]) -> Values:
    """`name` and `name.part`, summed over (name, part, value)."""
    totals: defaultdict[str, float] = defaultdict(float)
    for name, part, value in rows:
        totals[name] += value
        totals[f"{name}.{part}"] += value
    return dict(totals)
