"""Latencies per kind of action, answered and in effect, and how true the open loops were to their rates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.analysis.findings import DataColumn, DataTable, Findings, Value, by_stages
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample, own_sample
from fleet.analysis.stats import P99_NEEDS, quantile
from fleet.results.events import MarkSeen, Requested, TrialPlan
from fleet.results.run import RunRecord

CREATE, DELETE = "create", "delete"
WITH_EFFECT = ("scale", "roll-out")
"""Actions whose effect is a final status; of others it is the version itself."""
MOST_LAG = 0.010
"""Seconds that an action may be late by, at the 99th percentile, before the loop was not open: four times what a quiet
machine shows, a tenth of the mean gap at 10 per second."""
Key = tuple[str, str, str]
"""Cluster, resource, name."""
COLUMNS = (
    ("action", ""), ("requests", ""), ("refused", ""), ("per second", "1/s"), ("late p50", "ms"), ("late p99", "ms"),
    ("late max", "ms"), ("answer p50", "ms"), ("answer p99", "ms"),
)  # fmt: skip


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """Creations by the stages, all other actions from their requests and the versions that carry their ids."""
    found = by_stages(run, recorded)
    plans = {plan.trial: plan for plan in recorded.trials}
    others = [one for one in recorded.requests if one.op != CREATE and one.trial in plans]
    made = list(_changes(others, recorded.seen, plans))
    stages = list(dict.fromkeys(sample.stage for sample in made))
    counted = [one for one in recorded.requests if one.trial in plans and plans[one.trial].repeat >= 0]
    table = DataTable(
        name="actions", title="Actions: rate, lateness, answers",
        columns=[DataColumn(name=name, unit=unit) for name, unit in COLUMNS], rows=list(_rows(counted)),
    )  # fmt: skip
    return replace(
        found,
        samples=[*found.samples, *made],
        stages=[*found.stages, *stages],
        tables=[table, *found.tables],
        reasons=[*found.reasons, *_late(counted), *_refused(counted)],
        said=[*_said(counted), *found.said],
    )


@dataclass(frozen=True)
class Marks:
    """When each mark of an object was received (ns), by uid; a name may be used again."""

    by_key: Mapping[Key, list[dict[str, int]]]

    def first(self, key: Key, mark: str) -> int | None:
        """Of any object of that name."""
        return min((one[mark] for one in self.by_key.get(key, ()) if mark in one), default=None)


def _marks(seen: Sequence[MarkSeen]) -> Marks:
    by_uid: defaultdict[tuple[Key, str], dict[str, int]] = defaultdict(dict)
    for line in seen:
        by_uid[(line.cluster, line.resource, line.name), line.uid].setdefault(line.mark, line.ns)
    found: defaultdict[Key, list[dict[str, int]]] = defaultdict(list)
    for (key, _), marks in by_uid.items():
        found[key].append(marks)
    return Marks(found)


def _changes(
    requests: Sequence[Requested], seen: Sequence[MarkSeen], plans: Mapping[str, TrialPlan]
) -> Iterator[Sample]:
    """Of each change that was answered well: until the answer, until it was received, until it was done.

    One that a later change of the same object took over before its own version or status came has no such sample.
    """
    marks = _marks(seen)
    last: defaultdict[Key, int] = defaultdict(int)
    for one in requests:
        if not one.error:
            key = (one.cluster, one.resource, one.name)
            last[key] = max(last[key], one.sent_ns)
    for one in requests:
        if one.error:
            continue
        key, plan = (one.cluster, one.resource, one.name), plans[one.trial]
        yield _sample(one, plan, one.op, one.ns)
        if one.op == DELETE:
            yield _sample(one, plan, "delete-gone", marks.first(key, "deleted"))
            continue
        taken = last[key] > one.sent_ns
        wanted = [("seen", f"seen/{one.due_ns}")]
        if one.op in WITH_EFFECT:
            wanted.append(("done", f"done/{one.due_ns}"))
        for word, mark in wanted:
            moment = marks.first(key, mark)
            if moment is not None or not taken:
                yield _sample(one, plan, f"{one.op}-{word}", moment)


def _sample(one: Requested, plan: TrialPlan, stage: str, end_ns: int | None) -> Sample:
    kind = one.resource.partition(".")[0]
    ends = (one.sent_ns, end_ns)
    return own_sample(plan, stage, ends, kind=kind, namespace=one.namespace, name=one.name, cluster=one.cluster)


def _by_op(requests: Sequence[Requested]) -> dict[str, list[Requested]]:
    found: defaultdict[str, list[Requested]] = defaultdict(list)
    for one in requests:
        found[one.op].append(one)
    return dict(found)


def _rows(requests: Sequence[Requested]) -> Iterator[list[Value]]:
    for op, those in _by_op(requests).items():
        late, answers = _lags(those), sorted((one.ns - one.sent_ns) / 1e6 for one in those)
        span = (max(one.sent_ns for one in those) - min(one.sent_ns for one in those)) / 1e9
        yield [
            op, len(those), sum(1 for one in those if one.error), (len(those) - 1) / span if span > 0 else None,
            quantile(late, 0.5) * 1e3, _p99(late) * 1e3, late[-1] * 1e3, quantile(answers, 0.5), _p99(answers),
        ]  # fmt: skip


def _lags(requests: Sequence[Requested]) -> list[float]:
    """Seconds, ascending."""
    return sorted((one.sent_ns - one.due_ns) / 1e9 for one in requests)


def _p99(ascending: Sequence[float]) -> float:
    """The largest when there are fewer than 100."""
    return quantile(ascending, 0.99) if len(ascending) >= P99_NEEDS else ascending[-1]


def _late(requests: Sequence[Requested]) -> Iterator[str]:
    for op, those in _by_op(requests).items():
        lag = _p99(_lags(those))
        if lag > MOST_LAG:
            yield f"{op}: actions left {lag * 1e3:.1f} ms late (p99; at most {MOST_LAG * 1e3:.0f} ms)"


def _refused(requests: Sequence[Requested]) -> Iterator[str]:
    bad = Counter(
        (one.op, f"{one.code or 'no answer'} {one.error}") for one in requests if one.error and one.op != CREATE
    )
    for (op, why), count in bad.most_common(5):
        yield f"{count} requests to {op} were refused: {why}"


def _said(requests: Sequence[Requested]) -> Iterator[str]:
    counts = ", ".join(f"{len(those)} {op}" for op, those in _by_op(requests).items())
    if counts:
        yield f"actions played: {counts}"
