"""Pods that come, complete and are deleted, for as long as asked; what grows meanwhile leaks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from fleet.experiment.churn import Churn
from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.model.base import Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import Layout, PolicyExperiment, Profiles, Workload
from fleet.model.leak_rules import LeakRules
from fleet.model.load_shape import LoadShape, SteppedLoad
from fleet.workload.pacing import compressed, expected_count
from fleet.workload.profiles import content_of

ROUNDS = 8
"""Of profiles in a long run at least: the first after the warm-up and the last say where a leak allocates."""


class LongRun(PolicyExperiment):
    """Pods that come, complete and are deleted, for as long as asked; what grows meanwhile leaks."""

    QUICK: ClassVar[Mapping[str, Any]] = {"duration": "12m", "compression": 12.0, "sample_interval": "2s"}
    experiment: Literal["long-run"]
    name: Name = "long-run"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-one"], min_length=1, max_length=1)
    duration: Duration = 48 * 3600.0
    """How long pods come, before `compression`."""
    compression: float = Field(default=1.0, ge=1, le=1000)
    """Everything goes so many times faster: the load, the pods' lives, and so the run."""
    workload: Workload = Workload(kind="pod", lifetime=20.0)
    load: LoadShape = LoadShape(steppedLoad=SteppedLoad(burstSize=1, stepDelay=60.0))
    leak: LeakRules = LeakRules()
    profiles: Profiles = Profiles(enabled=True, interval=3600.0)
    repeats: Literal[1] = 1
    warmup: Literal[0] = 0
    sample_interval: Duration = 10.0

    @property
    def paced_profiles(self) -> Profiles:
        """The profiles, often enough that the run has `ROUNDS` of them however compressed it is."""
        most = self.duration / self.compression / ROUNDS
        return self.profiles.model_copy(update={"interval": min(self.profiles.interval, most)})

    @model_validator(mode="after")
    def _fits(self) -> LongRun:
        if not self.load.open or self.load.trace is not None:
            raise ValueError("load: a long run needs a shape that goes on: steppedLoad, poissonLoad, globalQPSLoad")
        if self.workload.kind != "pod" or self.workload.lifetime is None:
            raise ValueError("workload: a long run needs pods with a lifetime, which it deletes when they completed")
        return self


def points(spec: LongRun, ground: Ground) -> list[Point]:
    """One: its load, compressed."""
    load = compressed(spec.load, spec.compression)
    assert spec.workload.lifetime is not None  # noqa: S101 - the model requires it
    lifetime = spec.workload.lifetime / spec.compression
    content = content_of(spec.workload.model_copy(update={"lifetime": lifetime}))
    pods = expected_count(load, spec.duration / spec.compression)
    policies = ground.wecs if spec.layouts[0] == "one-to-one" else 1
    return [Point(content, max(1, math.ceil(pods / policies)), load=load)]


def profiles(spec: LongRun) -> Profiles:
    """Often enough to say where a leak allocates."""
    return spec.paced_profiles


EXPERIMENT = Distribution("long-run", LongRun, points, measure=(Churn(),), profiles=profiles, everybody=True)
