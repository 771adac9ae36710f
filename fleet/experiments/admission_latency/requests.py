"""The create requests of each trial, from the load client's files, on the driver's clock."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.analysis.lifelines import ANSWERED, DUE, Lifeline
from fleet.analysis.recorded import Recorded
from fleet.analysis.tracks import OWN, Stamp
from fleet.experiments.admission_latency.marks import LOAD
from fleet.experiments.admission_latency.sets import NONE
from fleet.kube.resources import PODS
from fleet.results.events import RunMark, TrialPlan

DONE = "done"
MICRO, MILLI = 1000, 1e3


@dataclass(frozen=True)
class Request:
    """One, microseconds since the load began."""

    number: int
    due: int
    end: int
    outcome: str

    @property
    def milliseconds(self) -> float:
        """From the moment when it was due, which of closed clients is when it was sent."""
        return (self.end - self.due) / MILLI


@dataclass(frozen=True)
class Done:
    """One trial."""

    plan: TrialPlan
    requests: Sequence[Request]
    """In the order in which they were sent."""
    begin_ns: int
    """Of the driver's clock."""

    @property
    def policies(self) -> str:
        """The name of its set."""
        return self._word("policies")

    @property
    def load(self) -> str:
        """`clients=10` or `rate=50`."""
        return self.plan.point.partition(" ")[2]

    @property
    def clients(self) -> int:
        """0 of an open loop."""
        return int(self._word("clients") or 0)

    @property
    def counted(self) -> bool:
        """It is no warm-up."""
        return self.plan.repeat >= 0

    def latencies(self) -> list[float]:
        """Milliseconds of those that were created."""
        return [request.milliseconds for request in self.requests if request.outcome == DONE]

    @property
    def seconds(self) -> float:
        """From the begin to the last answer."""
        return max((request.end for request in self.requests), default=0) / 1e6

    def _word(self, name: str) -> str:
        words = (part.partition("=") for part in self.plan.point.split())
        return next((value for key, _, value in words if key == name), "")


def trials(recorded: Recorded, folder: Path) -> list[Done]:
    """Every trial whose load ended, in the order of the run; of one that was cut off there is no file."""
    begun = {mark.trial: mark for mark in recorded.marks if (mark.step, mark.edge) == (LOAD, "begin")}
    found = []
    for plan in recorded.trials:
        raw = folder / "raw" / f"{plan.trial}-create.csv.gz"
        log = folder / "raw" / f"{plan.trial}-create.jsonl"
        if plan.trial in begun and raw.exists() and log.exists():
            found.append(Done(plan, list(_requests(raw)), _began(log, begun[plan.trial])))
    return found


def pairs(done: Sequence[Done]) -> Iterator[tuple[Done, Done]]:
    """Each counted trial of a set with the baseline right before it."""
    base: Done | None = None
    for trial in done:
        if trial.policies == NONE:
            base = trial
        elif base is not None and trial.counted and base.load == trial.load:
            yield base, trial


def lifelines(done: Sequence[Done]) -> Iterator[Lifeline]:
    """One per request: when it was due and, where the pod was created, when that was answered."""
    for trial in done:
        for request in trial.requests:
            marks = {DUE: Stamp(trial.begin_ns + request.due * MICRO, version=OWN)}
            if request.outcome == DONE:
                marks[ANSWERED] = Stamp(trial.begin_ns + request.end * MICRO, version=OWN)
            name = f"{trial.plan.trial}-{request.number:05d}"
            yield Lifeline(trial.plan.trial, trial.plan.clusters[0], str(PODS), name=name, marks=marks)


def _requests(raw: Path) -> Iterator[Request]:
    with gzip.open(raw, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in sorted(rows, key=lambda row: int(row["sent_us"])):
        yield Request(int(row["number"]), int(row["due_us"]), int(row["end_us"]), row["outcome"])


def _began(log: Path, mark: RunMark) -> int:
    """The client's origin, by the wall clock that both read."""
    for line in log.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        if said["event"] == "begin":
            return int(said["unix_ns"]) - mark.wall + mark.ns
    return mark.ns
