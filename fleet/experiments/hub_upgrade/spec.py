"""What a file of `hub-upgrade` has, and its points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from fleet.experiment.points import Ground, Point
from fleet.experiment.reconfigure import Release
from fleet.model.base import Model, Name
from fleet.model.duration import Moment
from fleet.model.experiment_file import Layout, PolicyExperiment, Workload
from fleet.model.load_shape import GlobalQPSLoad, LoadShape
from fleet.workload.pacing import schedule
from fleet.workload.profiles import content_of

Version = Annotated[str, StringConstraints(pattern=r"^(v[0-9]+\.[0-9]+\.[0-9]+)?$")]
CONTROL = "no upgrade"
"""The point of the trials that nothing is done to."""


class Upgrade(Model):
    """`{from: v1.0.0, to: v1.2.0}`; `{}` is a restart of what the fleet has."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    before: Version = Field(default="", alias="from")
    """When a trial begins; empty: the fleet's own version."""
    to: Version = ""
    """What replaces it alongside the load; empty: the fleet's own version."""

    def __str__(self) -> str:
        """For people; also the point of its trials."""
        if self.before == self.to:
            return f"restart of {self.to}" if self.to else "restart"
        return f"{self.before or 'own version'} to {self.to or 'own version'}"


class HubUpgrade(PolicyExperiment):
    """The manager's programs at the hub are replaced by those of another version while the load goes on."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "workload.kind": "configmap", "workload.objects": 60, "at": "5s", "repeats": 1, "warmup": 0,
        "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["hub-upgrade"]
    name: Name = "hub-upgrade"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    workload: Workload = Workload(objects=120)
    load: LoadShape = LoadShape(globalQPSLoad=GlobalQPSLoad(qps=2))
    """An open load, which goes on whatever the hub does; it must last longer than `at`."""
    upgrades: list[Upgrade] = Field(default=[Upgrade()], min_length=1, max_length=20)
    """Each in trials of its own, besides those without an upgrade; the versions are those of `manager_version`."""
    at: Moment = 15.0
    """When the replacement begins, after a trial's load began."""

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        if self.during:
            raise ValueError("during: the upgrade is what is done to the fleet alongside the load: leave it out")
        if len({str(one) for one in self.upgrades}) < len(self.upgrades):
            raise ValueError("upgrades: each once")
        if not self.load.open:
            raise ValueError("load: one that waits for answers stops when the hub does: write globalQPSLoad")
        last = schedule(self.load, self.workload.objects, seed=f"{self.seed}").offsets[-1]
        if last <= self.at:
            raise ValueError(
                f"at: the load of {self.workload.objects} objects is over after {last:g} s, and the upgrade would begin"
                f" at {self.at:g} s: give it an earlier moment, or the workload more objects"
            )
        return self

    def upgrade(self, point: str) -> Upgrade | None:
        """That of a point's trials."""
        return next((one for one in self.upgrades if str(one) == point), None)


def points(spec: HubUpgrade, _ground: Ground) -> list[Point]:
    """One without an upgrade, and one for each."""
    content, objects = content_of(spec.workload), spec.workload.objects
    return [
        Point(content, objects, CONTROL),
        *(Point(content, objects, str(one), release=Release(one.before)) for one in spec.upgrades),
    ]
