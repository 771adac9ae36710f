"""The same policies and objects, spread over more and more sources, on the transports that the fleet has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.errors import UsageError
from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.experiments.values import Count, distinct
from fleet.managers.manager import Manager
from fleet.model.base import Name
from fleet.model.experiment_file import Layout, PolicyExperiment
from fleet.model.fleet_file import FleetFile
from fleet.workload.profiles import content_of


class WdsScaling(PolicyExperiment):
    """The same policies and objects, spread over more and more sources, on the transports that they have."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "wdses": [1, 2], "policies": 2, "workload.objects": 2, "repeats": 1, "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["wds-scaling"]
    name: Name = "wds-scaling"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    wdses: list[Annotated[int, Field(ge=1, le=9)]] = Field(default=[1, 2, 4], min_length=1)
    """The manager runs for so many of the fleet's sources and rests for the others."""
    policies: Count = 4
    """Policies per target, over all of them together: the load is the same at every point."""
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    _ascending = field_validator("wdses")(distinct)

    @model_validator(mode="after")
    def _fits(self) -> WdsScaling:
        if self.policies < self.wdses[-1]:
            raise ValueError(f"policies: {self.policies} are too few for {self.wdses[-1]} sources: each needs one")
        return self


def points(spec: WdsScaling, _ground: Ground) -> list[Point]:
    """One per number of sources."""
    content = content_of(spec.workload)
    return [
        Point(content, spec.workload.objects, f"wdses={count}", each=spec.policies, sources=count)
        for count in spec.wdses
    ]


def cannot(manager: Manager) -> str:
    """Where users create objects in one place, or in the WECs themselves."""
    return "" if manager.many_sources else "it spreads policies over several sources, and here there is one at most"


def check(spec: WdsScaling, fleet: FleetFile) -> None:
    """UsageError when it wants more sources than the fleet has."""
    most, there = spec.wdses[-1], len(fleet.sources())
    if most > there:
        raise UsageError(
            f"wdses: {most} are requested, the fleet has {there}: grow it with `fleet up -e wds_count={most}`"
        )


EXPERIMENT = Distribution("wds-scaling", WdsScaling, points, cannot=cannot, check=check)
