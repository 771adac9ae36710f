"""What a run of admission-latency found: latency of each set and load, what a set adds, errors, webhooks, programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fleet.analysis.added import MEAN, QUANTILES, Added, Pair, added
from fleet.analysis.agent_table import agent_table
from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.lifelines import samples
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS, asked, request_table
from fleet.analysis.stats import quantile
from fleet.analysis.webhook_table import webhook_table
from fleet.experiments.admission_latency import series, upstream
from fleet.experiments.admission_latency.marks import CALLS, CLIENT_CPU
from fleet.experiments.admission_latency.requests import DONE, Done, lifelines, pairs, trials
from fleet.experiments.admission_latency.sets import NONE, SETS
from fleet.results.run import RunRecord

DIGITS = 2
"""Of milliseconds that are differences."""
FEWEST = 0.1
"""Requests per pod of a row that is kept."""
HALF = 0.5
"""Calls per pod: a set that goes through Kyverno has one or more, any other none."""
CLIENT = "fleet-loadgen"
Group = tuple[str, str]
"""Load and policy set."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """Its samples and tables."""
    done = trials(recorded, folder)
    found = by_stages(run, recorded)
    made = samples(lifelines(done), run.stages, recorded)
    groups = _groups(done)
    differences = _differences(done, int(run.spec.seed))
    objects = int(run.spec.own("objects") or 1)
    counts = Counter(plan.point for plan in recorded.trials if plan.repeat >= 0)
    tables = [
        _added_table(differences, groups),
        _latencies(groups, _client_cpu(recorded)),
        _upstream(groups),
        _errors(groups),
        webhook_table(recorded, objects),
        _about_pods(request_table(asked(recorded, (API_SERVER_REQUESTS, series.CLIENT)), objects, counts)),
        _about_pods(agent_table(recorded, objects, counts)),
        program_table(recorded, objects),
    ]
    return replace(
        found,
        samples=made,
        tables=[table for table in tables if table.rows],
        reasons=[*found.reasons, *_reasons(recorded)],
        said=list(_said(differences)),
    )


def _groups(done: Sequence[Done]) -> dict[Group, list[Done]]:
    """Counted trials, in the order of the first of each."""
    found: defaultdict[Group, list[Done]] = defaultdict(list)
    for trial in done:
        if trial.counted:
            found[trial.load, trial.policies].append(trial)
    return dict(found)


def _differences(done: Sequence[Done], seed: int) -> dict[Group, dict[str, Added]]:
    paired: defaultdict[Group, list[Pair]] = defaultdict(list)
    for base, trial in pairs(done):
        paired[trial.load, trial.policies].append(Pair(base.latencies(), trial.latencies()))
    return {group: found for group, mine in paired.items() if (found := added(mine, seed=seed))}


def _client_cpu(recorded: Recorded) -> Mapping[str, float]:
    return {one.trial: one.value for one in recorded.measured if one.name == CLIENT_CPU}


def _added_table(differences: Mapping[Group, Mapping[str, Added]], groups: Mapping[Group, Sequence[Done]]) -> DataTable:
    rows: list[list[Value]] = []
    for (load, policies), found in differences.items():
        row: list[Value] = [load, policies, len(groups[load, policies])]
        for name in (MEAN, *QUANTILES):
            row += [round(value, DIGITS) for value in (found[name].estimate, found[name].low, found[name].high)]
        rows.append(row)
    heads = [("load", ""), ("policies", ""), ("pairs", "")]
    for name in (MEAN, *QUANTILES):
        heads += [(name, "ms"), (f"{name} low", "ms"), (f"{name} high", "ms")]
    return _table("added", "What each policy set adds to its baseline", heads, rows)


def _latencies(groups: Mapping[Group, Sequence[Done]], cpu: Mapping[str, float]) -> DataTable:
    """All requests of a load and set together."""
    rows: list[list[Value]] = []
    for (load, policies), mine in groups.items():
        ordered = sorted(value for trial in mine for value in trial.latencies())
        sent = sum(len(trial.requests) for trial in mine)
        seconds = sum(trial.seconds for trial in mine)
        client = sum(cpu.get(trial.plan.trial, 0.0) for trial in mine)
        figures: list[Value] = [None] * 5
        if ordered:
            figures = [sum(ordered) / len(ordered), *(quantile(ordered, q) for q in QUANTILES.values()), ordered[-1]]
        rows.append(
            [
                load, policies, len(mine), sent, sent - len(ordered), len(ordered) / seconds if seconds else None,
                *figures, client / sent * 1e3 if sent else None,
            ]
        )  # fmt: skip
    heads = (
        ("load", ""), ("policies", ""), ("trials", ""), ("requests", ""), ("errors", ""), ("created", "1/s"),
        ("average", "ms"), *((name, "ms") for name in QUANTILES), ("largest", "ms"),
        (f"CPU of {CLIENT}", "ms per request"),
    )  # fmt: skip
    return _table("latencies", "Latency of each create request", heads, rows)


def _upstream(groups: Mapping[Group, Sequence[Done]]) -> DataTable:
    """Closed clients, in the form of Kyverno's own summary."""
    rows: list[list[Value]] = []
    for (load, policies), mine in groups.items():
        clients = mine[0].clients
        if not clients:
            continue
        ordered = sorted(value for trial in mine for value in trial.latencies())
        errors = sum(request.outcome != DONE for trial in mine for request in trial.requests)
        p99 = quantile(ordered, QUANTILES["p99"]) if ordered else None
        figures: list[Value] = [None, None, None]
        if ordered:
            figures = [sum(ordered) / len(ordered), quantile(ordered, QUANTILES["p95"]), p99]
        theirs = upstream.PUBLISHED.get((policies, clients))
        published: list[Value] = [None] * 4
        if theirs is not None:
            published = [theirs.scenario, theirs.average, theirs.p95, theirs.p99]
        fired = ", ".join(upstream.alerts(clients, p99, errors)) or "none"
        rows.append([load, policies, *figures, *published, fired])
    heads = (
        ("load", ""), ("policies", ""), ("average", "ms"), ("p95", "ms"), ("p99", "ms"), ("its scenario", ""),
        ("its average", "ms"), ("its p95", "ms"), ("its p99", "ms"), ("its alerts that would have fired here", ""),
    )  # fmt: skip
    return _table("upstream", "In the form of Kyverno's own summary", heads, rows)


def _about_pods(table: DataTable) -> DataTable:
    """Rows of FEWEST or more per pod, the last column: others are watches, leases and the policies themselves."""
    return table.model_copy(update={"rows": [row for row in table.rows if float(row[-1] or 0.0) >= FEWEST]})


def _errors(groups: Mapping[Group, Sequence[Done]]) -> DataTable:
    rows: list[list[Value]] = []
    for (load, policies), mine in groups.items():
        sent = sum(len(trial.requests) for trial in mine)
        classes = Counter(request.outcome for trial in mine for request in trial.requests if request.outcome != DONE)
        rows += [[load, policies, name, count, 100 * count / sent] for name, count in classes.most_common()]
    heads = (("load", ""), ("policies", ""), ("class", ""), ("requests", ""), ("share", "%"))
    return _table("errors", "Requests that created nothing", heads, rows)


def _reasons(recorded: Recorded) -> Iterator[str]:
    """Kyverno was called for every pod where a set goes through it, and for none elsewhere; else it was no such set."""
    plans = {plan.trial: plan for plan in recorded.trials if plan.repeat >= 0}
    for one in recorded.measured:
        if one.name != CALLS or one.trial not in plans:
            continue
        plan = plans[one.trial]
        chosen = SETS.get(plan.point.split()[0].partition("=")[2])
        if chosen is not None and chosen.kyverno != (one.value > HALF):
            yield f"{plan.trial} ({plan.point}): Kyverno was called {one.value:.2f} times per pod"


def _said(differences: Mapping[Group, Mapping[str, Added]]) -> Iterator[str]:
    loads = dict.fromkeys(load for load, _ in differences)
    for load in loads:
        shown = ", ".join(
            f"{policies} {found[MEAN].estimate:+.1f} ({found[MEAN].low:+.1f} to {found[MEAN].high:+.1f})"
            for (own, policies), found in differences.items()
            if own == load and policies != NONE
        )
        yield f"{load}: added to the mean latency of a create request, ms with its 95 % interval: {shown}"


def _table(name: str, title: str, heads: Sequence[tuple[str, str]], rows: list[list[Value]]) -> DataTable:
    columns = [DataColumn(name=head, unit=unit) for head, unit in heads]
    return DataTable(name=name, title=title, columns=columns, rows=rows)
