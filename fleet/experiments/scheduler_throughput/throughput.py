"""What one trial came to: how fast pods were bound, what the client's limit predicts, and what took how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.analysis.counters import Counter, Span, peaks, rises, spans
from fleet.analysis.histograms import buckets, quantile
from fleet.analysis.program_table import cpu_seconds, programs
from fleet.analysis.recorded import Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS
from fleet.experiments.scheduler_throughput import marks, series
from fleet.experiments.scheduler_throughput.spec import Scheduler
from fleet.model.pod_marks import SCHEDULED
from fleet.results.events import HostSample, TrialPlan

FROM, TO = 0.1, 0.9
"""The rate is that between these shares of the pods: what begins and ends a trial is left out."""
LIMIT_SHARE = 0.95
"""Of the client's limit: a rate above it is that limit."""
OFFER_SHARE = 0.9
"""Of the rate of creation, where the scheduler runs meanwhile."""
REFUSED_SHARE = 0.05
"""Of the pods: so many answers 429 to their binds, which the scheduler then repeats."""
IDLE_SHARE = 0.01
"""Of the pods: a scheduler whose queue was never longer, while more of them waited, had nothing to do."""
CYCLE_SHARE = 0.8
"""Of the time, in which the scheduling cycle worked: it takes one pod after another."""
BUSY_SHARE = 0.9
"""Of the machine's processors."""


@dataclass(frozen=True)
class Throughput:
    """One counted trial. Times in seconds, CPU in cores; None where it is not known."""

    plan: TrialPlan
    scheduler: Scheduler
    load: str
    pods: int
    early: bool
    """The scheduler ran before the pods were created."""
    begin_ns: int
    bound_ns: Sequence[int]
    """When each pod was seen to be bound, ascending."""
    created_ns: Sequence[int]
    own: Mapping[Counter, float]
    """The scheduler's counters at the end; they began at 0 with it."""
    cores: Mapping[str, float]
    """By program."""
    busy: float | None
    """Share of the machine's processors, whoever used them."""
    deepest: float | None = None
    """Pods in its active queue, at most, as it was scraped."""
    descriptors: int | None = None
    """Files and connections that it had open, at most, as it was sampled."""
    refused: float = 0.0
    """Binds that the API server put off (429): its priority and fairness had no room for them."""

    @property
    def bound(self) -> int:
        """How many."""
        return len(self.bound_ns)

    @property
    def first(self) -> float | None:
        """From the begin to the first bound pod: of a scheduler that is started then, its start."""
        return (self.bound_ns[0] - self.begin_ns) / 1e9 if self.bound_ns else None

    @property
    def makespan(self) -> float | None:
        """From the first bound pod to the last."""
        return (self.bound_ns[-1] - self.bound_ns[0]) / 1e9 if self.bound_ns else None

    @property
    def whole(self) -> float | None:
        """Pods a second from the begin, or the first creation if that was later, to the last bound pod."""
        if not self.bound_ns:
            return None
        begin = max(self.begin_ns, self.created_ns[0]) if self.created_ns else self.begin_ns
        seconds = (self.bound_ns[-1] - begin) / 1e9
        return self.bound / seconds if seconds > 0 else None

    @property
    def rate(self) -> float | None:
        """Pods a second between the first tenth and the last."""
        return _rate(self.bound_ns)

    @property
    def offered(self) -> float | None:
        """The same of their creation."""
        return _rate(self.created_ns)

    @property
    def predicted(self) -> float | None:
        """What the client's limit alone makes of the makespan: one request binds a pod, and a full bucket lets the
        first ones through at once. None where it cannot bind."""
        beyond = self.pods - self.scheduler.burst
        return beyond / self.scheduler.qps if beyond > 0 else None

    @property
    def difference(self) -> float | None:
        """Of the makespan from the prediction, as a share of it."""
        if self.predicted is None or self.makespan is None or self.bound < self.pods:
            return None
        return self.makespan / self.predicted - 1

    @property
    def cycle(self) -> float | None:
        """Share of the makespan in which the scheduling cycle worked."""
        seconds = self.sum_of(f"{series.ALGORITHM}_sum")
        return None if seconds is None or not self.makespan else seconds / self.makespan

    @property
    def waited(self) -> float | None:
        """Seconds that a request waited for the client's own limit, mean over its POSTs."""
        total, count = (self.sum_of(f"{series.LIMITER}_{part}", verb="POST") for part in ("sum", "count"))
        return total / count if total is not None and count else None

    @property
    def limited_by(self) -> str:
        """What bound the rate, as far as it can be known from outside; the rules are the constants above."""
        return next(self._limits(), "not known: take profiles")

    def _limits(self) -> Iterator[str]:
        """All that could have, the surest first."""
        rate = self.rate
        if self.bound < self.pods or rate is None:
            yield "not all pods were bound"
            return
        if self.predicted is not None and rate >= LIMIT_SHARE * self.scheduler.qps:
            yield f"its client's limit ({self.scheduler.qps:g} requests a second)"
        if self.early and self.offered is not None and rate >= OFFER_SHARE * self.offered:
            yield f"creation: {self.offered:.0f} pods a second were offered"
        elif self.early and self.deepest is not None and self.deepest < IDLE_SHARE * self.pods:
            yield f"what lets pods through to it: {self.deepest:.0f} of them at most were in its queue"
        if self.cycle is not None and self.cycle >= CYCLE_SHARE:
            yield f"its scheduling cycle, which worked {self.cycle:.0%} of the time"
        if self.refused >= REFUSED_SHARE * self.bound:
            yield f"the API server: its priority and fairness put off {self.refused:.0f} binds (429)"
        if self.busy is not None and self.busy >= BUSY_SHARE:
            most = sorted(self.cores.items(), key=lambda one: -one[1])[:2]
            shown = ", ".join(f"{name} {cores:.2f}" for name, cores in most)
            yield f"CPU: the machine was {self.busy:.0%} busy (cores: {shown})"

    def sum_of(self, name: str, **labels: str) -> float | None:
        """Of one of its counters over series with those labels; None when it has none."""
        found = [
            value
            for key, value in self.own.items()
            if key.name == name and all(key.label(label) == wanted for label, wanted in labels.items())
        ]
        return sum(found) if found else None

    def attempt(self, q: float) -> float | None:
        """A quantile of successful attempts, binding included, by its own histogram."""
        return quantile(buckets(self.own, series.ATTEMPT, result="scheduled"), q)


def throughputs(recorded: Recorded, spec: Mapping[str, Any]) -> Iterator[Throughput]:
    """Of every counted trial that got as far as its scheduler; `spec` has the experiment's own fields."""
    schedulers = {one["name"]: Scheduler.model_validate(one) for one in spec["schedulers"]}
    seen: dict[tuple[str, str], list[int]] = {}
    for mark in recorded.seen:
        if mark.resource == marks.POD:
            seen.setdefault((mark.trial, mark.mark), []).append(mark.ns)
    found = spans(recorded, marks.LOAD)
    for plan in recorded.trials:
        if plan.trial not in found:
            continue
        fields = dict(part.split("=", 1) for part in plan.point.split())
        scheduler, span = schedulers[fields["scheduler"]], found[plan.trial]
        yield Throughput(
            plan=plan,
            scheduler=scheduler,
            load=fields["load"],
            pods=int(spec["pods"]),
            early=spec["start"] == "before",
            begin_ns=span[0],
            bound_ns=sorted(seen.get((plan.trial, SCHEDULED), [])),
            created_ns=sorted(seen.get((plan.trial, "created"), [])),
            own=_last(recorded, scheduler.component, span),
            cores=_cores(recorded, span),
            busy=_busy(recorded.hosts, span),
            descriptors=_descriptors(recorded, scheduler.component, span),
            deepest=_deepest(recorded, scheduler.component, span),
            refused=_refused(recorded, span),
        )


def _rate(moments: Sequence[int]) -> float | None:
    if not moments:
        return None
    low, high = (min(len(moments) - 1, round(share * len(moments))) for share in (FROM, TO))
    seconds = (moments[high] - moments[low]) / 1e9
    return (high - low) / seconds if seconds > 0 else None


def _last(recorded: Recorded, component: str, span: Span) -> dict[Counter, float]:
    """The last value of each of its series in the span: it was another process in other trials."""
    return {
        Counter(sample.component, sample.cluster, sample.name, sample.labels): sample.value
        for sample in recorded.metrics
        if sample.component == component and span[0] <= sample.ns <= span[1]
    }


def _cores(recorded: Recorded, span: Span) -> dict[str, float]:
    seconds = (span[1] - span[0]) / 1e9
    return {name: cpu_seconds(samples) / seconds for name, samples in programs(recorded.processes, span).items()}


def _descriptors(recorded: Recorded, component: str, span: Span) -> int | None:
    own = [one for one in recorded.processes if one.component == component and span[0] <= one.ns <= span[1]]
    return max((one.fds for one in own), default=None)


def _deepest(recorded: Recorded, component: str, span: Span) -> float | None:
    found = [
        value
        for key, value in peaks(recorded.metrics, span).items()
        if key.component == component and key.name == series.PENDING and key.label(series.QUEUE) == "active"
    ]
    return max(found, default=None)


def _refused(recorded: Recorded, span: Span) -> float:
    wanted = {"verb": "POST", "resource": "pods", "subresource": "binding", "code": "429"}
    return sum(
        value
        for key, value in rises(recorded.metrics, span).items()
        if key.name == API_SERVER_REQUESTS.name and all(key.label(name) == label for name, label in wanted.items())
    )


def _busy(hosts: Sequence[HostSample], span: Span) -> float | None:
    """Of the first host: schedulers run on the driver's machine."""
    mine = [one for one in hosts if one.host == hosts[0].host]
    before = [one for one in mine if one.ns <= span[0]]
    inside = [one for one in mine if span[0] < one.ns <= span[1]]
    if not before or not inside:
        return None
    first, last = before[-1], inside[-1]
    return (last.busy_seconds - first.busy_seconds) / ((last.ns - first.ns) / 1e9 * last.cores)
