"""How true each replay was: what the trace wants against what the watches saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fleet.analysis.findings import DataColumn, DataTable, Findings, by_stages
from fleet.analysis.recorded import Recorded
from fleet.analysis.stats import quantile
from fleet.model.pod_marks import ENDED, ENTRY, RUNNING
from fleet.model.trace import Pod
from fleet.results.events import Requested, TrialPlan
from fleet.results.folder import RAW
from fleet.results.run import RunRecord
from fleet.trace.fidelity import order, relative, share
from fleet.trace.file import read

TRACE_FILE = "trace.trace.jsonl"
"""The trace as it was played, in `raw/` of the run folder."""
MOST_LAG = 0.010
"""Seconds a creation may be late by at speed 1, at the 99th percentile; pairs that were due closer together have no
order."""
MOST_LIFE_ERROR = 0.05
"""Of a lifetime, at the 90th percentile."""
PODS = "pods"
COLUMNS = [
    DataColumn(name="trial"), DataColumn(name="speed"), DataColumn(name="pods"),
    DataColumn(name="seen", better="higher"),
    DataColumn(name="lag p50", unit="ms"),
    DataColumn(name="lag p99", unit="ms", better="lower", tolerance=MOST_LAG * 1e3),
    DataColumn(name="lag max", unit="ms"),
    DataColumn(name="arrivals in order", unit="%", better="higher"),
    DataColumn(name="ends in order", unit="%", better="higher"),
    DataColumn(name="lives"),
    DataColumn(name="life error p50", unit="%", better="lower", tolerance=MOST_LIFE_ERROR * 100),
    DataColumn(name="life error p90", unit="%", better="lower", tolerance=MOST_LIFE_ERROR * 100),
    DataColumn(name="exit codes"),
    DataColumn(name="exit codes right", unit="%", better="higher"),
    DataColumn(name="ends right", unit="%", better="higher"),
]  # fmt: skip


@dataclass
class Seen:
    """One pod that played a line of the trace: when it reached each mark, in the driver's ns."""

    key: str = ""
    trial: str = ""
    marks: dict[str, int] = field(default_factory=dict)
    code: int | None = None

    @property
    def life(self) -> float | None:
        """Seconds from when it ran to its end; None when it lacks one."""
        begin, end = self.marks.get(RUNNING), self.marks.get(ENDED, self.marks.get("deleted"))
        return None if begin is None or end is None else (end - begin) / 1e9

    @property
    def end(self) -> str:
        """How it ended by itself; empty when it did not."""
        if ENDED not in self.marks:
            return ""
        return "succeeded" if self.code == 0 else "failed"


@dataclass(frozen=True)
class Fidelity:
    """Of one trial."""

    trial: str
    speed: float
    pods: int
    seen: int
    lags: Sequence[float]
    """Seconds, ascending."""
    arrivals: float
    """Share of pairs that came in their order."""
    ends_in_order: float
    errors: Sequence[float]
    """Relative errors of lifetimes, ascending."""
    codes: int
    """Exit codes that the trace knows."""
    codes_right: float
    ends_right: float

    def row(self) -> list[str | int | float | None]:
        """As `COLUMNS` has it."""

        def of(values: Sequence[float], q: float, scale: float) -> float | None:
            return quantile(values, q) * scale if values else None

        return [
            self.trial, self.speed, self.pods, self.seen, of(self.lags, 0.5, 1e3), of(self.lags, 0.99, 1e3),
            self.lags[-1] * 1e3 if self.lags else None, self.arrivals * 100, self.ends_in_order * 100,
            len(self.errors), of(self.errors, 0.5, 100), of(self.errors, 0.9, 100), self.codes,
            self.codes_right * 100, self.ends_right * 100,
        ]  # fmt: skip

    def faults(self, *, exact: bool) -> Iterator[str]:
        """What makes the replay untrue. `exact`: bare pods, whose order the driver makes."""
        lag = quantile(self.lags, 0.99) if self.lags else 0.0
        if self.speed == 1 and lag > MOST_LAG:
            yield f"creations left {lag * 1e3:.1f} ms late (p99; at most {MOST_LAG * 1e3:.0f} ms)"
        if exact and self.arrivals < 1:
            yield f"{(1 - self.arrivals) * 100:.3g} % of the pairs of pods came in another order than recorded"
        error = quantile(self.errors, 0.9) if self.errors else 0.0
        if error > MOST_LIFE_ERROR:
            yield f"lifetimes are {error:.1%} off (p90; at most {MOST_LIFE_ERROR:.0%})"
        if self.codes_right < 1:
            yield f"{(1 - self.codes_right) * self.codes:.0f} of {self.codes} exit codes are not those recorded"


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """Samples by its stages; the fidelity of each counted trial as a table and in the verdict."""
    found = by_stages(run, recorded)
    file = folder / RAW / TRACE_FILE
    if not file.is_file():  # it ended before the trace was kept
        return found
    pods = {pod.key: pod for pod in read(file).pods}
    names = list(pods)
    seen = seen_pods(recorded)
    made = [
        fidelity(
            plan.trial, speed_of(plan), pods, names, [one for one in seen if one.trial == plan.trial], recorded.requests
        )
        for plan in recorded.trials
        if plan.repeat >= 0
    ]
    exact = run.spec.own("owners") != "controllers"
    table = DataTable(
        name="fidelity", title="How true the replay was",
        columns=COLUMNS, rows=[one.row() for one in made], key=["speed"],
    )  # fmt: skip
    reasons = [f"{one.trial} (speed {one.speed:g}): {why}" for one in made for why in one.faults(exact=exact)]
    said = [sentence(one) for one in made]
    return replace(found, tables=[table, *found.tables], reasons=[*found.reasons, *reasons], said=[*said, *found.said])


def fidelity(  # noqa: PLR0917 - what one trial is judged by
    trial: str,
    speed: float,
    pods: Mapping[str, Pod],
    names: Sequence[str],
    seen: Sequence[Seen],
    requests: Sequence[Requested],
) -> Fidelity:
    """`names`: keys in the order of the trace, by which requests name their line."""
    by_key = {one.key: one for one in seen if one.key in pods}
    lags = sorted(
        (one.sent_ns - one.due_ns) / 1e9
        for one in requests
        if one.trial == trial and one.op == "create" and not pods[names[_number(one.name)]].before
    )
    came = [
        (pods[key].t / speed, one.marks["created"] / 1e9)
        for key, one in by_key.items()
        if "created" in one.marks and not pods[key].before
    ]
    over = [
        ((pods[key].t + after) / speed, one.marks[ENDED] / 1e9)
        for key, one in by_key.items()
        for after in [pods[key].ends_after]
        if after is not None and ENDED in one.marks
    ]
    errors = sorted(
        relative(length / speed, one.life)
        for key, one in by_key.items()
        for length in [pods[key].life]
        if length and one.life is not None
    )
    codes = {key: pod.exit for key, pod in pods.items() if pod.exit is not None}
    ends = {key: pod.end for key, pod in pods.items() if pod.end in ("succeeded", "failed")}
    return Fidelity(
        trial, speed, len(pods), len(by_key), lags, order(came, MOST_LAG).share, order(over, MOST_LAG).share, errors,
        len(codes), share(codes, {key: one.code for key, one in by_key.items()}),
        share(ends, {key: one.end for key, one in by_key.items()}),
    )  # fmt: skip


def sentence(one: Fidelity) -> str:
    """What a reader wants first."""
    lag = f"{quantile(one.lags, 0.99) * 1e3:.1f} ms" if one.lags else "unknown"
    error = f"{quantile(one.errors, 0.9):.1%}" if one.errors else "unknown"
    return (
        f"{one.trial} at {one.speed:g} times: {one.seen} of {one.pods} pods, lag p99 {lag}, {one.arrivals:.1%} of the "
        f"arrivals in order, lifetimes {error} off (p90), {one.codes_right:.1%} of {one.codes} exit codes right"
    )


def seen_pods(recorded: Recorded) -> list[Seen]:
    """Every pod that a watch saw, of any trial."""
    found: dict[tuple[str, str], Seen] = {}
    for line in recorded.seen:
        if line.resource != PODS:
            continue
        one = found.setdefault((line.cluster, line.uid), Seen(trial=line.trial))
        one.marks.setdefault(line.mark, line.ns)
        data: Any = line.data
        if line.mark == ENTRY:
            one.key = str(data)
        elif line.mark == ENDED and isinstance(data, int):
            one.code = data
    return list(found.values())


def speed_of(plan: TrialPlan) -> float:
    """Of a trial's point."""
    return float(plan.point.partition("=")[2] or 1)


def _number(name: str) -> int:
    return int(name.split("-")[1])
