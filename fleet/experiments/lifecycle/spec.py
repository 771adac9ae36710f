"""What a file of `lifecycle` has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from fleet.experiment.points import Ground, Point
from fleet.model.base import Name
from fleet.model.experiment_file import PolicyExperiment
from fleet.workload.content import Content
from fleet.workload.profiles import content_of


class Lifecycle(PolicyExperiment):
    """Deployments that are created, scaled by one, and deleted."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "wecs": "fleet", "layouts": ["one-to-many"], "repeats": 1, "warmup": 0, "sample_interval": "2s"
    }  # fmt: skip
    experiment: Literal["lifecycle"]
    name: Name = "lifecycle"

    @model_validator(mode="after")
    def _has_replicas(self) -> Self:
        if self.workload.profile is not None or self.workload.kind != "deployment":
            raise ValueError(
                "workload: an update is one replica more, which only a deployment has: leave kind and profile"
            )
        return self

    @property
    def updated(self) -> int:
        """Replicas after the update."""
        return self.workload.pods + 1

    @property
    def updated_content(self) -> Content:
        """The same objects as they are after it."""
        return content_of(self.workload.model_copy(update={"pods": self.updated}))


def points(spec: Lifecycle, _ground: Ground) -> list[Point]:
    """One."""
    return [Point(content_of(spec.workload), spec.workload.objects)]
