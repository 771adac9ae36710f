"""More objects per policy, and larger ones: where bundling begins and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.experiments.values import Count, distinct
from fleet.model.base import Name
from fleet.model.experiment_file import Layout, PolicyExperiment, Workload
from fleet.workload.content import Content
from fleet.workload.profiles import content_of

Size = Annotated[int, Field(ge=0, le=1_000_000)]


class WorkloadSize(PolicyExperiment):
    """More objects per policy, and larger ones: where bundling begins and what it costs."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "objects": [1, 10], "bytes": [0], "layouts": ["one-to-many"], "repeats": 1, "warmup": 0,
        "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["workload-size"]
    name: Name = "workload-size"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    objects: list[Count] = Field(default=[1, 5, 20, 50], min_length=1)
    """Objects per policy, swept."""
    bytes: list[Size] = Field(default=[0, 10_000], min_length=1)
    """Random characters per object, swept."""
    workload: Workload = Workload(kind="configmap")
    """Its own objects and bytes are not used: the lists are."""

    _ascending = field_validator("objects", "bytes")(distinct)


def points(spec: WorkloadSize, _ground: Ground) -> list[Point]:
    """Every number of objects with every size."""
    return [
        Point(_sized(spec.workload, size), count, f"objects={count} bytes={size}")
        for count in spec.objects
        for size in spec.bytes
    ]


def _sized(workload: Workload, size: int) -> Content:
    return content_of(Workload.model_validate({**workload.model_dump(), "bytes": size}))


EXPERIMENT = Distribution("workload-size", WorkloadSize, points)
