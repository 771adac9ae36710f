"""What the load client is ordered to do, in the fields of the Go module `toolchain/load`. Durations in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.targets.target import Access

SLACK = 60.0
"""How much longer than it should a client may take before it counts as hung."""


def bootstrap_order(spec: DensityFile, access: Sequence[Access]) -> dict[str, Any]:
    """Take these into use, `workers` at a time."""
    return {
        "clusters": [one.order() for one in access],
        "workers": spec.workers,
        "poll": spec.polls.step,
        "namespace_poll": spec.polls.namespace,
        "timeout": spec.polls.timeout,
    }


def bootstrap_seconds(spec: DensityFile, count: int) -> float:
    """The longest that it may take."""
    return spec.polls.timeout * count + SLACK


def load_order(spec: DensityFile, hot: Sequence[Access], raw: Path) -> dict[str, Any]:
    """Load these, and write every operation into the file `raw`."""
    traffic = spec.traffic
    return {
        "clusters": [one.order() for one in hot],
        "model": traffic.client,
        "limiter": None if traffic.limiter is None else traffic.limiter.model_dump(),
        "write_rate": traffic.write_rps_per_cluster,
        "read_rate": traffic.read_rps_per_cluster,
        "seconds": spec.phases.load_duration,
        "rungs": traffic.ladder,
        "least_achieved": traffic.least_achieved,
        "object_bytes": traffic.object_bytes,
        "objects": traffic.objects,
        "timeout": traffic.timeout,
        "in_flight": traffic.in_flight,
        "raw": str(raw),
        "seed": spec.seed,
    }


def load_seconds(spec: DensityFile) -> float:
    """The longest that it may take: each rung, and the operations that are under way when it ends."""
    return (spec.phases.load_duration + spec.traffic.timeout) * (len(spec.traffic.ladder) + 1) + SLACK
