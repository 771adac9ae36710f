"""What it costs that several WDSes share an ITS, or that each has its own: latency at equal load, what ITSes, WDSes and
agents took for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from fleet.analysis.apiserver import COMPONENT
from fleet.analysis.costs import Span, by_process, cpu_seconds
from fleet.analysis.recorded import Recorded, setting_of
from fleet.analysis.resources import requests
from fleet.analysis.setting import Setting, values
from fleet.model.base import Model
from fleet.results.events import ProcessSample, TrialPlan

if TYPE_CHECKING:
    from fleet.analysis.summary import Row

AGENTS = ("ocm-agent", "agent-host", "status-agent")
AXIS = "wdses"
"""What a point of `wds-scaling` is named by."""


class Sharing(Model):
    """One setting: the same load, spread over so many WDSes. Seconds, unless stated otherwise; means are per trial."""

    layout: str
    wecs: int
    wdses: int
    itses: int = 1
    """That those WDSes work with: 1 is shared by all of them."""
    trials: int
    downsync_p50: float | None
    downsync_max: float | None
    e2e_p50: float | None
    """Of a kind whose status does not come back to the WDS: until the last WEC had reported it."""
    e2e_max: float | None
    whole: float
    """Median over the trials: from the first send until every object was complete."""
    its_requests: float | None
    """That the ITS's API server answered, mean; of several, all of them together, as with the other two."""
    its_cpu_seconds: float | None
    """Of the ITS's API server, mean."""
    its_rss_bytes: int | None
    """Of the ITS's API server, the most."""
    wds_cpu_seconds: float | None
    """Of everything that runs for those WDSes: API servers, etcds, controller managers, KubeStellar; mean."""
    wds_rss_bytes: int | None
    """Of the same programs: the sum of the most that each had."""
    agents_cpu_seconds: float | None = None
    """Of all OCM agents and status agents, mean: each WEC has an OCM agent for each ITS of the fleet, used or not."""
    agents_rss_bytes: int | None = None
    """Of the same programs: the sum of the most that each had."""


def sharing(recorded: Recorded, rows: Sequence[Row], its_of: Mapping[str, str]) -> list[Sharing]:
    """A row per setting of a run whose points are numbers of WDSes, in their order; none for other runs.

    `its_of` has the ITS of each WDS.
    """
    trials: defaultdict[Setting, list[TrialPlan]] = defaultdict(list)
    for plan in recorded.trials:
        if plan.repeat >= 0 and AXIS in values(plan.point):
            trials[setting_of(plan)].append(plan)
    if not trials:
        return []
    asked: defaultdict[Setting, dict[str, float]] = defaultdict(dict)
    for one in requests(recorded):
        if one.cluster in its_of.values():
            asked[one.setting][one.cluster] = asked[one.setting].get(one.cluster, 0.0) + one.per_trial
    agents = by_process(one for one in recorded.processes if one.component in AGENTS)
    found = []
    for setting in sorted(trials, key=lambda one: one.order):
        spans = [recorded.span(plan) for plan in trials[setting]]
        wdses = {wds for plan in trials[setting] for wds in plan.sources}
        itses = {its_of[wds] for wds in wdses if wds in its_of}
        server = by_process(one for one in recorded.processes if one.component == COMPONENT and one.cluster in itses)
        answered = [count for its, count in asked[setting].items() if its in itses]
        others = by_process(one for one in recorded.processes if one.cluster in wdses)
        here = {row.stage: row for row in rows if row.setting == setting}
        down, back = here.get("downsync"), here.get("e2e") or here.get("e2e_reported")
        found.append(
            Sharing(
                layout=setting.layout,
                wecs=setting.wecs,
                wdses=int(values(setting.point)[AXIS]),
                itses=max(1, len(itses)),
                trials=len(spans),
                downsync_p50=down.p50 if down else None,
                downsync_max=down.max if down else None,
                e2e_p50=back.p50 if back else None,
                e2e_max=back.max if back else None,
                whole=median((end - start) / 1e9 for start, end in spans),
                its_requests=sum(answered) if answered else None,
                its_cpu_seconds=_mean(cpu_seconds(server, spans)),
                its_rss_bytes=_most(server, spans),
                wds_cpu_seconds=_mean(cpu_seconds(others, spans)),
                wds_rss_bytes=_most(others, spans),
                agents_cpu_seconds=_mean(cpu_seconds(agents, spans)),
                agents_rss_bytes=_most(agents, spans),
            )
        )
    return found


def _most(processes: Sequence[Sequence[ProcessSample]], spans: Sequence[Span]) -> int | None:
    """Bytes: the sum over the processes of the most that each had in one of the spans."""
    most = [
        max((one.rss for one in samples if any(start <= one.ns <= end for start, end in spans)), default=0)
        for samples in processes
    ]
    return sum(most) or None


def _mean(found: Sequence[float]) -> float | None:
    return sum(found) / len(found) if found else None
