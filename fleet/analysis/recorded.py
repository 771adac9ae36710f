"""One pass over the events of a run: the join is fed, and what is not joined is kept in the order of its coming."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fleet.analysis.timelines import Join
from fleet.results.events import (
    Anomaly,
    ClusterState,
    GapSeen,
    Line,
    MetricSample,
    Planned,
    ProcessSample,
    ProfileTaken,
    RunMark,
    Sent,
    TrialPlan,
)


@dataclass(slots=True)
class Recorded:
    """What the events say beside the samples."""

    join: Join
    trials: list[TrialPlan] = field(default_factory=list)
    planned: dict[str, int] = field(default_factory=dict)
    """Objects per trial."""
    marks: list[RunMark] = field(default_factory=list)
    refused: list[Sent] = field(default_factory=list)
    """Writes that the WDS did not take."""
    gaps: list[GapSeen] = field(default_factory=list)
    states: list[ClusterState] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    processes: list[ProcessSample] = field(default_factory=list)
    metrics: list[MetricSample] = field(default_factory=list)
    profiles: list[ProfileTaken] = field(default_factory=list)
    lines: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, event: Line) -> None:
        """Take one line."""
        self.lines += 1
        self.last_ns = max(self.last_ns, event.ns)
        self.first_ns = event.ns if self.first_ns == 0 else min(self.first_ns, event.ns)
        self.join.feed(event)
        match event:
            case ProcessSample() | MetricSample() | ProfileTaken():
                self._sampled(event)
            case TrialPlan():
                self.trials.append(event)
            case Planned():
                self.planned[event.trial] = self.planned.get(event.trial, 0) + 1
            case RunMark():
                self.marks.append(event)
            case Sent() if not 200 <= event.code < 300:  # noqa: PLR2004 - HTTP success
                self.refused.append(event)
            case GapSeen():
                self.gaps.append(event)
            case ClusterState():
                self.states.append(event)
            case Anomaly():
                self.anomalies.append(event)
            case _:
                pass

    def _sampled(self, event: ProcessSample | MetricSample | ProfileTaken) -> None:
        match event:
            case ProcessSample():
                self.processes.append(event)
            case MetricSample():
                self.metrics.append(event)
            case ProfileTaken():
                self.profiles.append(event)

    def objects_per_trial(self) -> dict[tuple[str, int], int]:
        """Objects of a counted trial, by layout and WEC count."""
        return {(p.layout, p.wecs): self.planned.get(p.trial, 0) for p in self.trials if p.repeat >= 0}

    def span(self, trial: TrialPlan) -> tuple[int, int]:
        """When the trial's load was under way: from its first step `load`, to the end of its `drain`; nanoseconds.

        A run without those marks (cut off, or made by hand) ends a trial where the next begins.
        """
        steps = {(m.step, m.edge): m.ns for m in self.marks if m.trial == trial.trial}
        later = [other.ns for other in self.trials if other.ns > trial.ns]
        end = min(later) if later else self.last_ns
        return steps.get(("load", "begin"), trial.ns), steps.get(("drain", "end"), end)


def record(events: Iterable[Line], *, wds: str, object_timeout: float | None) -> Recorded:
    """Read everything once."""
    recorded = Recorded(Join(wds=wds, object_timeout=object_timeout))
    for event in events:
        recorded.add(event)
    return recorded
