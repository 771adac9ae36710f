"""Load shapes: when each write of a trial is due, in seconds after the load began. Pure and seeded; the sender keeps
the time. Names and parameters are ClusterLoader2's (`fleet.model.load_shape`)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from fleet.errors import SpecError
from fleet.model.load_shape import GlobalQPSLoad, LoadShape, PoissonLoad, RandomizedLoad, SteppedLoad, Trace
from fleet.workload.objects import WorkloadObject


@dataclass(frozen=True)
class Schedule:
    """Moments of a load, ascending: `offsets` in seconds after it began.

    `parallel` is None in an open loop. Else the load is closed: everything is due at once, and at most so many writes
    are unanswered at any time.
    """

    offsets: tuple[float, ...]
    parallel: int | None = None


@dataclass(frozen=True)
class Due:
    """One write and its moment: `offset` seconds after the load began."""

    offset: float
    item: WorkloadObject


def schedule(shape: LoadShape, count: int, *, seed: str) -> Schedule:
    """The moments of `count` writes. The same seed gives the same moments; SpecError for a trace that is too short."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible load, not a secret
    if shape.parallelismLimitedLoad is not None:
        return Schedule((0.0,) * count, shape.parallelismLimitedLoad.parallelismLimit)
    if shape.poissonLoad is not None:
        rate = shape.poissonLoad.expectedActionsPerSecond
        return Schedule(tuple(accumulate(chance.expovariate(rate) for _ in range(count))))
    if shape.randomizedLoad is not None:
        widest = 2 / shape.randomizedLoad.averageQps
        return Schedule(tuple(accumulate(chance.uniform(0, widest) for _ in range(count))))
    if shape.steppedLoad is not None:
        return Schedule(_stepped(shape.steppedLoad, count))
    if shape.globalQPSLoad is not None:
        return Schedule(_bucket(shape.globalQPSLoad, count))
    return Schedule(_played(shape.trace or Trace(times=[0.0]), count))


def due(copies: Sequence[Sequence[WorkloadObject]], moments: Schedule) -> tuple[Due, ...]:
    """Each object with its copy's moment, in their order: a copy of a content is what one action of the load makes."""
    return tuple(Due(offset, item) for offset, members in zip(moments.offsets, copies, strict=True) for item in members)


def _stepped(shape: SteppedLoad, count: int) -> tuple[float, ...]:
    return tuple(number // shape.burstSize * shape.stepDelay for number in range(count))


def _bucket(shape: GlobalQPSLoad, count: int) -> tuple[float, ...]:
    """A bucket that is full at the beginning: its tokens at once, then one per 1/qps."""
    return tuple(max(0, number + 1 - shape.burst) / shape.qps for number in range(count))


def _played(shape: Trace, count: int) -> tuple[float, ...]:
    if len(shape.times) < count:
        raise SpecError(f"{len(shape.times)} moments for {count} objects of a trial: give one each", field="load.trace")
    return tuple(sorted(shape.times)[:count])


def compressed(shape: LoadShape, factor: float) -> LoadShape:
    """The same load, `factor` times faster. A closed loop stays as it is."""
    if shape.poissonLoad is not None:
        rate = shape.poissonLoad.expectedActionsPerSecond * factor
        return LoadShape(poissonLoad=PoissonLoad(expectedActionsPerSecond=rate))
    if shape.randomizedLoad is not None:
        return LoadShape(randomizedLoad=RandomizedLoad(averageQps=shape.randomizedLoad.averageQps * factor))
    if shape.steppedLoad is not None:
        step = shape.steppedLoad.stepDelay / factor
        return LoadShape(steppedLoad=SteppedLoad(burstSize=shape.steppedLoad.burstSize, stepDelay=step))
    if shape.globalQPSLoad is not None:
        bucket = shape.globalQPSLoad
        return LoadShape(globalQPSLoad=GlobalQPSLoad(qps=bucket.qps * factor, burst=bucket.burst))
    if shape.trace is not None:
        return LoadShape(trace=Trace(times=[moment / factor for moment in shape.trace.times]))
    return shape


def expected_count(shape: LoadShape, seconds: float) -> int:
    """How many writes a load that goes on is expected to have made after so many seconds; at least one."""
    if shape.steppedLoad is not None:
        return shape.steppedLoad.burstSize * max(1, math.ceil(seconds / shape.steppedLoad.stepDelay))
    if shape.globalQPSLoad is not None:
        return shape.globalQPSLoad.burst + int(seconds * shape.globalQPSLoad.qps)
    rate = 0.0
    if shape.poissonLoad is not None:
        rate = shape.poissonLoad.expectedActionsPerSecond
    elif shape.randomizedLoad is not None:
        rate = shape.randomizedLoad.averageQps
    return max(1, round(seconds * rate))
