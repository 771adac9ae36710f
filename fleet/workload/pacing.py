"""Load shapes: when each write of a trial is due, in seconds after the load began. Pure and seeded; the sender keeps
the time. Names and parameters are ClusterLoader2's (`fleet.spec.load_shape`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from fleet.errors import SpecError
from fleet.spec.load_shape import GlobalQPSLoad, LoadShape, SteppedLoad, Trace
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


def due(objects: Sequence[WorkloadObject], moments: Schedule) -> tuple[Due, ...]:
    """Each object with its moment, in their order."""
    return tuple(Due(offset, item) for offset, item in zip(moments.offsets, objects, strict=True))


def _stepped(shape: SteppedLoad, count: int) -> tuple[float, ...]:
    return tuple(number // shape.burstSize * shape.stepDelay for number in range(count))


def _bucket(shape: GlobalQPSLoad, count: int) -> tuple[float, ...]:
    """A bucket that is full at the beginning: its tokens at once, then one per 1/qps."""
    return tuple(max(0, number + 1 - shape.burst) / shape.qps for number in range(count))


def _played(shape: Trace, count: int) -> tuple[float, ...]:
    if len(shape.times) < count:
        raise SpecError(f"{len(shape.times)} moments for {count} objects of a trial: give one each", field="load.trace")
    return tuple(sorted(shape.times)[:count])
