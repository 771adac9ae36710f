"""The points of an experiment that distributes a workload, and the trials that are made of them.

A trial is a layout over a number of WECs at a point. The points of one experiment differ in the workload, the number of
policies, the fleet's client limits, its links or its sources.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.experiment.plan import TrialPlan
from fleet.experiment.reconfigure import Release
from fleet.managers.manager import Manager
from fleet.model.experiment_file import PolicyExperiment
from fleet.model.link import Link
from fleet.model.load_shape import LoadShape
from fleet.model.run_names import trial_id
from fleet.workload.content import Content


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
    sources: int | None = None
    """So many are used, and served; None: the first, and nothing is changed."""

    release: Release | None = None
    """What the manager runs as; None: the fleet's own."""

    @property
    def fleet(self) -> tuple[object, ...]:
        """What the fleet is changed to for it."""
        return (*self.limits.items(), self.link, self.sources, self.release)


@dataclass(frozen=True)
class Ground:
    """What an experiment makes its points for."""

    manager: Manager
    wecs: int


def trials(
    points: Callable[[Any, Ground], list[Point]],
    spec: PolicyExperiment,
    manager: Manager,
    *,
    wecs: Sequence[str],
    counts: Sequence[int],
    sources: Sequence[str] = (),
) -> list[TrialPlan]:
    """Every trial in its order: groups of (layout, count, point) shuffled by the seed, warm-ups first in each.

    `wecs` and `sources` are the fleet's in the order of their names; a count takes the first so many. Shuffled, because
    something that drifts during the run (memory, compaction) must not look like an effect of what is swept. Groups with
    the same client limits, links and sources stay together: each change takes time, and most restart programs.
    """
    chosen = [
        (layout, count, point)
        for layout in spec.layouts
        for count in counts
        for point in points(spec, Ground(manager, count))
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
                    own_namespaces=point.own_namespaces or manager.own_namespaces,
                    point=point.label,
                    limits=point.limits,
                    link=point.link,
                    sources=tuple(sources[: point.sources or 1]),
                    serving=point.sources,
                    release=point.release,
                )
            )
    return made
