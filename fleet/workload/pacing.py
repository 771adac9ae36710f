"""Load shapes: when each write of a trial is due, in seconds after the load began. Pure; the runner keeps the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.workload.objects import WorkloadObject


@dataclass(frozen=True)
class Due:
    """One write and its moment: `offset` seconds after the load began."""

    offset: float
    item: WorkloadObject


def burst(objects: Sequence[WorkloadObject]) -> tuple[Due, ...]:
    """All at once, in their order: what `kubectl apply -f` of the whole trial does. No jitter, so no seed."""
    return tuple(Due(0.0, item) for item in objects)
