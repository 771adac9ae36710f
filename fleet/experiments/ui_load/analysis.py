"""What a run of ui-load found: lists, watch events, heap, what a creation takes to be shown, programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.lifelines import samples
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import Recorded
from fleet.analysis.stats import quantile
from fleet.experiments.ui_load import marks
from fleet.experiments.ui_load.answers import Answers, answers, lifelines
from fleet.results.run import RunRecord

MIB, KIB = 1 << 20, 1 << 10
KEY = ("objects", "page", "client")
GROWING = 0.02
"""By so much of it a list may be larger than what there was: what the trial before has added may not be gone yet."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """Its samples and tables."""
    each = answers(recorded, folder)
    found = by_stages(run, recorded)
    counted = [one for one in each if one.counted]
    taken = _taken(recorded)
    tables = [
        _lists(counted),
        _events(counted, taken),
        _heap(counted, _measured(recorded, marks.CLIENT_PSS)),
        program_table(recorded, max((int(one.word("objects")) for one in counted), default=1), step=marks.WATCH),
    ]
    return replace(
        found,
        samples=samples(lifelines(each, recorded), run.stages, recorded),
        tables=[table for table in tables if table.rows],
        reasons=[*found.reasons, *_reasons(counted, recorded)],
        said=list(_said(counted, taken)),
    )


class _Taken(NamedTuple):
    """CPU of a client in one trial."""

    cpu: float
    idle: float
    """Cores, before anything was added."""
    watched: float

    def per_event(self, count: int) -> float | None:
        """Milliseconds beyond those at rest, for each of so many events; None where it took no more than at rest."""
        more = self.cpu - self.idle * self.watched
        return more / count * 1e3 if more > 0 else None


def _taken(recorded: Recorded) -> dict[str, _Taken]:
    cpu, idle, watched = (_measured(recorded, name) for name in (marks.CLIENT_CPU, marks.CLIENT_IDLE, marks.WATCHED))
    return {
        trial: _Taken(cpu[trial], idle[trial], watched[trial]) for trial in cpu.keys() & idle.keys() & watched.keys()
    }


def _lists(each: Sequence[Answers]) -> DataTable:
    """A row per page, client and number of objects: what opening the page took."""
    rows: list[list[Value]] = []
    for one in each:
        lists = one.listed.lists
        wire = sum(request.bytes for request in one.wire) / MIB if one.wire else None
        spans = [(r.headers - r.begin, r.body - r.headers, r.parsed - r.body) for r in lists]
        rows.append(
            [
                *one.key, one.plan.trial, len(lists), sum(one.listed.items.values()),
                sum(request.characters for request in lists) / MIB, wire,
                (one.listed.shown - one.listed.begin) / 1e3,
                *(sum(span[part] for span in spans) for part in range(3)),
                one.listed.shown - one.listed.data, one.listed.render,
            ]
        )  # fmt: skip
    names = (
        ("trial", ""),
        ("requests", ""),
        ("items", ""),
        ("JSON", "MiB"),
        ("on the wire", "MiB"),
        ("opened to drawn", "s"),
        ("to headers", "ms, all"),
        ("body", "ms, all"),
        ("JSON.parse", "ms, all"),
        ("last list to drawn", "ms"),
        ("rendering", "ms, all"),
    )
    return _table("lists", "Opening a page", names, rows, lower={"opened to drawn": 0.1})


def _events(each: Sequence[Answers], taken: Mapping[str, _Taken]) -> DataTable:
    """A row per page, client and number of objects: what the watch events cost."""
    rows: list[list[Value]] = []
    for one in each:
        applied, commits = one.applied, one.reported.commits
        if not applied:
            continue
        count, own = len(applied), taken.get(one.plan.trial)
        render = sum(commit.render for commit in commits)
        rows.append(
            [
                *one.key, one.plan.trial, len(one.reported.events), len(one.reported.events) - count,
                sum(event.characters for event in applied) / count / KIB,
                *_mean_and_p99([event.parse for event in applied]), *_mean_and_p99([event.apply for event in applied]),
                len(commits), render / len(commits) if commits else None, render / count,
                own.idle if own else None, own.per_event(count) if own else None,
            ]
        )  # fmt: skip
    names = (
        ("trial", ""), ("watch events", ""), ("left out", ""), ("size", "KiB"), ("parse", "ms"), ("parse p99", "ms"),
        ("apply", "ms"), ("apply p99", "ms"), ("commits", ""), ("render", "ms per commit"), ("render", "ms per event"),
        ("CPU at rest", "cores"), ("CPU", "ms per event"),
    )  # fmt: skip
    return _table("watch-events", "What a watch event costs", names, rows, lower={"CPU": 1.0})


def _heap(each: Sequence[Answers], pss: Mapping[str, float]) -> DataTable:
    rows: list[list[Value]] = []
    for one in each:
        items = sum(one.listed.items.values())
        grown = one.listed.after - one.listed.before
        rows.append(
            [
                *one.key, one.plan.trial, one.listed.before / MIB, one.listed.after / MIB, one.reported.heap / MIB,
                grown / items / KIB if items else None, pss.get(one.plan.trial),
            ]
        )  # fmt: skip
    names = (
        ("trial", ""), ("heap before", "MiB"), ("with the list", "MiB"), ("after watching", "MiB"), ("per item", "KiB"),
        ("PSS of all its processes", "MiB"),
    )  # fmt: skip
    return _table("heap", "Heap of the frontend, after a collection", names, rows, lower={"with the list": 1.0})


def _reasons(each: Sequence[Answers], recorded: Recorded) -> Iterator[str]:
    """A page that did not show what there was is no measurement of that many objects."""
    for one in each:
        wanted, pods = int(one.word("objects")), one.listed.items.get("pods", one.listed.items.get("deployments"))
        if pods is not None and not wanted <= pods <= wanted * (1 + GROWING) + 1:
            yield f"{one.plan.trial} ({one.plan.point}): the page listed {pods} objects"
    kept = {one.plan.trial for one in each}
    for plan in recorded.trials:
        if plan.repeat >= 0 and plan.trial not in kept:
            yield f"{plan.trial} ({plan.point}): the frontend did not get to its end"


def _said(each: Sequence[Answers], taken: Mapping[str, _Taken]) -> Iterator[str]:
    """One sentence per page and client, over the numbers of objects."""
    groups: defaultdict[tuple[str, str], list[Answers]] = defaultdict(list)
    for one in each:
        groups[one.word("page"), one.word("client")].append(one)
    for (page, client), mine in groups.items():
        parts = []
        for one in mine:
            seconds = (one.listed.shown - one.listed.begin) / 1e3
            text = (
                f"{int(one.word('objects')):,} objects: drawn after {seconds:.2f} s,"
                f" {one.listed.after / MIB:.0f} MiB of heap"
            )
            if applied := one.applied:
                text += f", {_mean([event.apply for event in applied]):.3f} ms to apply a watch event"
                if own := taken.get(one.plan.trial):
                    cpu = own.per_event(len(applied))
                    text += ", no more CPU than at rest" if cpu is None else f", {cpu:.1f} ms of CPU for each"
            parts.append(text)
        yield f"{page} in {client}: {'; '.join(parts)}"


def _measured(recorded: Recorded, name: str) -> dict[str, float]:
    return {one.trial: one.value for one in recorded.measured if one.name == name}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_and_p99(values: Sequence[float]) -> tuple[float, float]:
    return _mean(values), quantile(sorted(values), 0.99)


def _table(
    name: str, title: str, names: Sequence[tuple[str, str]], rows: list[list[Value]], lower: Mapping[str, float]
) -> DataTable:
    """Columns of `lower` are compared between runs, with that tolerance."""
    columns = [DataColumn(name=key) for key in KEY]
    columns += [
        DataColumn(name=name, unit=unit, better="lower", tolerance=lower[name])
        if name in lower
        else DataColumn(name=name, unit=unit)
        for name, unit in names
    ]
    return DataTable(name=name, title=title, columns=columns, rows=rows, key=list(KEY))
