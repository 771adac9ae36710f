"""The experiment of the talk: one policy per WEC against one for all, over growing numbers of WECs."""

from __future__ import annotations

import random

from fleet.experiment.plan import TrialPlan
from fleet.spec.experiment_file import ExperimentFile
from fleet.workload.names import trial_id
from fleet.workload.profiles import content_of


def trials(spec: ExperimentFile, wecs: list[str], counts: list[int]) -> list[TrialPlan]:
    """Every trial in its order: groups of (layout, count) shuffled by the seed, warm-ups first in each.

    `wecs` are the fleet's WECs in the order of their names; a count takes the first so many. Shuffled, because
    something that drifts during the run (memory, compaction) must not look like an effect of the WEC count.
    """
    chosen = [(layout, count) for layout in spec.layouts for count in counts]
    random.Random(spec.seed).shuffle(chosen)  # noqa: S311 - a reproducible order, not a secret
    content = content_of(spec.workload)
    made: list[TrialPlan] = []
    for group, (layout, count) in enumerate(chosen):
        for repeat in [-1] * spec.warmup + list(range(spec.repeats)):
            made.append(
                TrialPlan(
                    id=trial_id(len(made)),
                    group=group,
                    layout=layout,
                    clusters=tuple(wecs[:count]),
                    repeat=repeat,
                    content=content,
                    copies_each=spec.workload.objects,
                    load=spec.load,
                )
            )
    return made
