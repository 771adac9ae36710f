"""A growing number of policies over the same WECs, each with a namespace and a workload of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.experiments.values import Count, distinct, needs_policies
from fleet.model.base import Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import Layout, PolicyExperiment, Workload
from fleet.model.load_shape import LoadShape, PoissonLoad
from fleet.workload.profiles import content_of


class PolicyScaling(PolicyExperiment):
    """A growing number of policies over the same WECs, each with a namespace and a workload of its own."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "policies": [1, 3], "repeats": 1, "after": "10s", "workload": {"objects": 2}, "sample_interval": "2s",
        "load.poissonLoad.expectedActionsPerSecond": 2.0,
    }  # fmt: skip
    experiment: Literal["policy-scaling"]
    name: Name = "policy-scaling"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    policies: list[Count] = Field(default=[1, 5, 10, 20], min_length=1)
    """Policies per target: of all WECs in one-to-many, of each WEC in one-to-one."""
    workload: Workload = Workload(profile="cluster-density-ms")
    load: LoadShape = LoadShape(poissonLoad=PoissonLoad(expectedActionsPerSecond=0.5))
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    after: Duration = 60.0

    _ascending = field_validator("policies")(distinct)


def points(spec: PolicyScaling, _ground: Ground) -> list[Point]:
    """One per number of policies."""
    content = content_of(spec.workload)
    return [
        Point(content, spec.workload.objects, f"policies={count}", each=count, own_namespaces=True)
        for count in spec.policies
    ]


EXPERIMENT = Distribution("policy-scaling", PolicyScaling, points, cannot=needs_policies)
