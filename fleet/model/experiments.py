"""The experiments: what each adds to the common file, its defaults, and the form that takes less than two minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.model.base import Model, Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import ExperimentFile, Layout, Profiles, Workload
from fleet.model.link import Milliseconds, Rate, RoundTrip
from fleet.model.load_shape import LoadShape, PoissonLoad, SteppedLoad

Count = Annotated[int, Field(ge=1, le=10_000)]
Size = Annotated[int, Field(ge=0, le=1_000_000)]
Client = Literal[
    "transport_its", "transport_wds", "controller_its", "controller_wds", "status_hub", "status_local", "work_hub",
    "work_spoke",
]  # fmt: skip
"""A client of KubeStellar's or OCM's with a token bucket of its own, as `<client>_qps` and `<client>_burst` name it."""


def distinct(values: list[int]) -> list[int]:
    """Ascending; ValueError for one that comes twice."""
    if len(set(values)) != len(values):
        raise ValueError("each value once")
    return sorted(values)


class WecScaling(ExperimentFile):
    """One policy per WEC against one for all of them, over growing numbers of WECs."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "wecs": "fleet", "layouts": ["one-to-many"], "repeats": 1, "warmup": 0, "sample_interval": "2s"
    }  # fmt: skip
    experiment: Literal["wec-scaling"]
    name: Name = "wec-scaling"


class PolicyScaling(ExperimentFile):
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


class WorkloadSize(ExperimentFile):
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
    bytes: list[Size] = Field(default=[0, 10_000], min_length=1)
    workload: Workload = Workload(kind="configmap")
    """Its own objects and bytes are not used: the lists are."""

    _ascending = field_validator("objects", "bytes")(distinct)


class RateLimit(Model):
    """One setting of a token bucket."""

    qps: float = Field(gt=0, le=100_000)
    burst: int = Field(ge=1, le=1_000_000)


class ClientLimits(ExperimentFile):
    """The rate limits of KubeStellar's own clients, swept: the fleet is changed between the points and put back."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "points": [{"qps": 5.0, "burst": 10}], "wecs": "fleet", "workload.objects": 10, "repeats": 1,
        "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["client-limits"]
    name: Name = "client-limits"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    clients: list[Client] = Field(default=["transport_its", "transport_wds"], min_length=1)
    points: list[RateLimit] = Field(
        default=[RateLimit(qps=5, burst=10), RateLimit(qps=50, burst=100), RateLimit(qps=1000, burst=2000)],
        min_length=1,
    )
    workload: Workload = Workload(kind="configmap", objects=10)
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)


class WdsScaling(ExperimentFile):
    """The same policies and objects, spread over more and more WDSes, on the ITSes that the fleet has for them."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "wdses": [1, 2], "policies": 2, "workload.objects": 2, "repeats": 1, "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["wds-scaling"]
    name: Name = "wds-scaling"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    wdses: list[Annotated[int, Field(ge=1, le=9)]] = Field(default=[1, 2, 4], min_length=1)
    """KubeStellar runs for so many of the fleet's WDSes and rests for the others."""
    policies: Count = 4
    """Policies per target, over all WDSes together: the load is the same at every point."""
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    _ascending = field_validator("wdses")(distinct)

    @model_validator(mode="after")
    def _fits(self) -> WdsScaling:
        if self.policies < self.wdses[-1]:
            raise ValueError(f"policies: {self.policies} are too few for {self.wdses[-1]} WDSes: each needs one")
        return self


ROUNDS = 8
"""Of profiles in a long run at least: the first after the warm-up and the last tell where a leak allocates."""


class LinkLatency(ExperimentFile):
    """The round trip between WECs and hub, swept: how many of them each stage costs, against how many it must."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "rtts": ["0ms", "100ms"], "repeats": 2, "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["link-latency"]
    name: Name = "link-latency"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    rtts: list[RoundTrip] = Field(default=[0.0, 0.02, 0.05, 0.1, 0.2], min_length=2)
    """Every link of the fleet gets each in turn. Two at least: a slope needs them."""
    jitter: Milliseconds = 0.0
    """Of every round trip, as far as it is not longer than the round trip itself."""
    rate: Rate | None = None
    """Each way of every link, as `50mbit`; None: no limit."""
    workload: Workload = Workload(kind="configmap", objects=5)
    repeats: int = Field(default=3, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    @field_validator("rtts")
    @classmethod
    def _ascending_rtts(cls, values: list[float]) -> list[float]:
        if len(set(values)) != len(values):
            raise ValueError("each value once")
        return sorted(values)


class LeakRules(Model):
    """When growth is called a leak."""

    least: float = Field(default=0.1, gt=0, le=10)
    """Share of the level at the beginning that must be added over the run."""
    warmup: float = Field(default=0.2, ge=0, lt=0.9)
    """Share of the run that is cut off in front: caches fill, connections open."""
    shortest: Duration = 300.0
    """Below it nothing is said."""


class LongRun(ExperimentFile):
    """Pods that come, complete and are deleted, for as long as asked; what grows meanwhile leaks."""

    QUICK: ClassVar[Mapping[str, Any]] = {"duration": "12m", "compression": 12.0, "sample_interval": "2s"}
    experiment: Literal["long-run"]
    name: Name = "long-run"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-one"], min_length=1, max_length=1)
    duration: Duration = 48 * 3600.0
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


AnyExperiment = Annotated[
    WecScaling | PolicyScaling | WorkloadSize | ClientLimits | LinkLatency | WdsScaling | LongRun,
    Field(discriminator="experiment"),
]
"""Any experiment file; which one, its field `experiment` says."""

MODELS: Mapping[str, type[ExperimentFile]] = {
    "wec-scaling": WecScaling,
    "policy-scaling": PolicyScaling,
    "workload-size": WorkloadSize,
    "client-limits": ClientLimits,
    "link-latency": LinkLatency,
    "wds-scaling": WdsScaling,
    "long-run": LongRun,
}
"""By the word in the file."""
