"""The experiments: of each, the points that it visits and how it measures one; everything else they share.

A trial is a layout over a number of WECs at a point. The points of `wec-scaling` are one, those of the others differ in
the workload, the number of policies, the fleet's client limits, its links or its WDSes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.experiment import steps
from fleet.experiment.churn import Churn
from fleet.experiment.plan import TrialPlan
from fleet.model.experiment_file import ExperimentFile, Workload
from fleet.model.experiments import (
    ClientLimits,
    LinkLatency,
    LongRun,
    PolicyScaling,
    WdsScaling,
    WecScaling,
    WorkloadSize,
)
from fleet.model.link import Link
from fleet.model.load_shape import LoadShape
from fleet.model.run_names import trial_id
from fleet.workload.content import Content
from fleet.workload.pacing import compressed, expected_count
from fleet.workload.profiles import content_of


@dataclass(frozen=True)
class Point:
    """What a group of trials has besides its layout and WECs."""

    content: Content
    copies: int
    """Of the content, per policy."""
    label: str = ""
    each: int = 1
    """Policies per target."""
    own_namespaces: bool = False
    load: LoadShape | None = None
    """None: the spec's."""
    limits: Mapping[str, float] = field(default_factory=dict)
    link: Link | None = None
    wdses: int | None = None
    """So many are used, and served; None: the first, and nothing is changed."""

    @property
    def fleet(self) -> tuple[object, ...]:
        """What the fleet is changed to for it."""
        return (*self.limits.items(), self.link, self.wdses)


@dataclass(frozen=True)
class Family:
    """One experiment."""

    points: Callable[[Any, int], list[Point]]
    """From its spec and the number of WECs."""
    measure: tuple[steps.Step, ...] = (steps.Load(), steps.Drain())
    """From the settled fleet to the last sample."""


def trials(
    spec: ExperimentFile, wecs: Sequence[str], counts: Sequence[int], wdses: Sequence[str] = ("wds1",)
) -> list[TrialPlan]:
    """Every trial in its order: groups of (layout, count, point) shuffled by the seed, warm-ups first in each.

    `wecs` and `wdses` are the fleet's in the order of their names; a count takes the first so many. Shuffled, because
    something that drifts during the run (memory, compaction) must not look like an effect of what is swept. Groups with
    the same client limits, links and WDSes stay together: each change takes time, and most restart programs.
    """
    family = FAMILIES[type(spec)]
    chosen = [
        (layout, count, point) for layout in spec.layouts for count in counts for point in family.points(spec, count)
    ]
    random.Random(spec.seed).shuffle(chosen)  # noqa: S311 - a reproducible order, not a secret
    fleets = list(dict.fromkeys(point.fleet for _, _, point in chosen))
    chosen.sort(key=lambda entry: fleets.index(entry[2].fleet))
    made: list[TrialPlan] = []
    for group, (layout, count, point) in enumerate(chosen):
        for repeat in [-1] * spec.warmup + list(range(spec.repeats)):
            made.append(
                TrialPlan(
                    id=trial_id(len(made)),
                    group=group,
                    layout=layout,
                    clusters=tuple(wecs[:count]),
                    repeat=repeat,
                    content=point.content,
                    copies_each=point.copies,
                    load=point.load or spec.load,
                    each=point.each,
                    own_namespaces=point.own_namespaces,
                    point=point.label,
                    limits=point.limits,
                    link=point.link,
                    wdses=tuple(wdses[: point.wdses or 1]),
                    serving=point.wdses,
                )
            )
    return made


def measure_steps(spec: ExperimentFile) -> tuple[steps.Step, ...]:
    """How a trial of this experiment is measured."""
    return FAMILIES[type(spec)].measure


def _one(spec: WecScaling, _wecs: int) -> list[Point]:
    return [Point(content_of(spec.workload), spec.workload.objects)]


def _policies(spec: PolicyScaling, _wecs: int) -> list[Point]:
    content = content_of(spec.workload)
    return [
        Point(content, spec.workload.objects, f"policies={count}", each=count, own_namespaces=True)
        for count in spec.policies
    ]


def _sizes(spec: WorkloadSize, _wecs: int) -> list[Point]:
    return [
        Point(_sized(spec.workload, size), count, f"objects={count} bytes={size}")
        for count in spec.objects
        for size in spec.bytes
    ]


def _sized(workload: Workload, size: int) -> Content:
    return content_of(Workload.model_validate({**workload.model_dump(), "bytes": size}))


def _limits(spec: ClientLimits, _wecs: int) -> list[Point]:
    content = content_of(spec.workload)
    return [
        Point(
            content,
            spec.workload.objects,
            f"qps={point.qps:g} burst={point.burst}",
            limits={f"{c}_{what}": value for c in spec.clients for what, value in point.model_dump().items()},
        )
        for point in spec.points
    ]


def _links(spec: LinkLatency, _wecs: int) -> list[Point]:
    content = content_of(spec.workload)
    return [
        Point(
            content,
            spec.workload.objects,
            f"rtt_ms={rtt * 1000:g}",
            link=Link(rtt=rtt, jitter=min(spec.jitter, rtt), rate=spec.rate),
        )
        for rtt in spec.rtts
    ]


def _wdses(spec: WdsScaling, _wecs: int) -> list[Point]:
    content = content_of(spec.workload)
    return [
        Point(content, spec.workload.objects, f"wdses={count}", each=spec.policies, wdses=count) for count in spec.wdses
    ]


def _long(spec: LongRun, wecs: int) -> list[Point]:
    load = compressed(spec.load, spec.compression)
    assert spec.workload.lifetime is not None  # noqa: S101 - the model requires it
    lifetime = spec.workload.lifetime / spec.compression
    content = content_of(spec.workload.model_copy(update={"lifetime": lifetime}))
    pods = expected_count(load, spec.duration / spec.compression)
    policies = wecs if spec.layouts[0] == "one-to-one" else 1
    return [Point(content, max(1, math.ceil(pods / policies)), load=load)]


FAMILIES: Mapping[type[ExperimentFile], Family] = {
    WecScaling: Family(_one),
    PolicyScaling: Family(_policies),
    WorkloadSize: Family(_sizes),
    ClientLimits: Family(_limits),
    LinkLatency: Family(_links),
    WdsScaling: Family(_wdses),
    LongRun: Family(_long, measure=(Churn(),)),
}
