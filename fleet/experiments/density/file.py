"""The file of `density`: every knob of kplane's bench under its own name, `-` of it written `_`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.model.base import Model, Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ExperimentFile, ProfileKind

PlaneKind = Literal["full", "apiserver"]
Scenario = Literal["bootstrap", "mixed-hot", "mixed-uniform"]
LEAST_COUNTS = 4
"""0 and three more: two would fit every line."""


class Phases(Model):
    """How long each phase lasts; defaults are kplane's."""

    warmup: Moment = 30.0
    """After the launch, before the baseline is sampled."""
    post_bootstrap_settle: Moment = 15.0
    """After the bootstrap, before the sample `post-bootstrap`."""
    steady_wait: Duration = 90.0
    """Before the sample `steady`; its CPU is the mean over all of it."""
    load_duration: Duration = 120.0
    """Of each rung of the load."""


class Polls(Model):
    """How often a step of the bootstrap looks. kplane's are 500 ms and 200 ms, and most of its time is these sleeps."""

    step: Duration = 0.05
    """Ready, Established, in discovery."""
    namespace: Duration = 0.05
    """Between two looks for the namespace `default`."""
    timeout: Duration = 120.0
    """Of one control plane."""


class Limiter(Model):
    """client-go's token bucket, one for each control plane; without QPS and burst client-go takes 5 and 10."""

    qps: float = Field(default=5.0, gt=0)
    """Requests a second."""
    burst: int = Field(default=10, ge=1)
    """Requests at once."""


class Traffic(Model):
    """The load of the scenarios `mixed-hot` and `mixed-uniform`."""

    hot_percent: float = Field(default=10.0, gt=0, le=100)
    """Of the control planes that `mixed-hot` loads, at least one; `mixed-uniform` loads all."""
    write_rps_per_cluster: float = Field(default=5.0, ge=0)
    """A write is a Get and an Update."""
    read_rps_per_cluster: float = Field(default=20.0, ge=0)
    """Reads a second at each hot control plane."""
    object_bytes: int = Field(default=1024, ge=0, le=500_000)
    """Size of an object."""
    objects: int = Field(default=5, ge=1, le=1000)
    """Made in each loaded control plane before the load; each has one writer."""
    client: Literal["open", "closed"] = "open"
    """`closed` is kplane's: a ticker for each reader and writer, one operation at a time."""
    limiter: Limiter | None = None
    """`{qps: 5, burst: 10}` with the closed client reproduces kplane's table."""
    ladder: list[float] = Field(default=[1.0], min_length=1, max_length=20)
    """Factors of both rates, one rung after another, until one is saturated."""
    least_achieved: float = Field(default=0.95, gt=0, le=1)
    """A rung that achieves less of what was offered is saturated."""
    timeout: Duration = 30.0
    """Of one operation, from the moment that it is due."""
    in_flight: int = Field(default=20_000, ge=1)
    """Operations that may be unanswered."""

    @model_validator(mode="after")
    def _fits(self) -> Traffic:
        if self.client == "closed" and len(self.ladder) > 1:
            raise ValueError("ladder: a closed client has no rate to raise; write one factor")
        if self.write_rps_per_cluster + self.read_rps_per_cluster == 0:
            raise ValueError("write_rps_per_cluster and read_rps_per_cluster are both 0: there would be no load")
        return self


class Kplane(Model):
    """kplane's API server, a program of the user's own."""

    binary: str = Field(min_length=1)
    """Its absolute path."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of that file: what is not this file is not run."""


class DensityFile(ExperimentFile):
    """What a file of `density` has."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "repeats": 1,
        "clusters": [0, 1, 2, 3],
        "scenario": "mixed-uniform",
        "phases.warmup": "1s",
        "phases.post_bootstrap_settle": "1s",
        "phases.steady_wait": "3s",
        "phases.load_duration": "3s",
        "snapshots": [],
        "probes": False,
    }

    experiment: Literal["density"]
    name: Name = "density"
    target: str = "dense"
    """dense, process, kind: this project's drivers; kwokctl: its binary runtime; kplane: a program of the user's."""
    plane: PlaneKind = "full"
    """apiserver: no controllers and no scheduler, which is what kplane's virtual control plane is."""
    scenario: Scenario = "bootstrap"
    """By kplane's names: no load, a load on some control planes, or one on all."""
    clusters: list[int] = Field(default=[0, 4, 8, 12], max_length=50)
    """Counts of control planes, each a sequence of its own: 0 and at least three more."""
    workers: int = Field(default=12, ge=1, le=1000)
    """Control planes that are taken into use at a time."""
    phases: Phases = Phases()
    polls: Polls = Polls()
    traffic: Traffic = Traffic()
    warmup: int = Field(default=0, ge=0, le=100)
    """Whole sequences that are not counted. Each begins from nothing, so none is needed."""
    inspect: bool = True
    """Open etcd's profiles and the listeners of controller managers and schedulers, so that their heaps can be read.
    Without, these programs have no heap and no goroutines in the tables."""
    snapshots: list[ProfileKind] = Field(default=["heap", "goroutine", "cpu"])
    """Profiles taken after each sample, never inside a phase."""
    snapshot_seconds: Duration = 5.0
    """Of a CPU profile."""
    probes: bool = True
    """Ask two control planes of the first sequence with two or more what they can do."""
    dense_sharing: bool = True
    """Of `dense`: control planes of one process share what never changes; false: each as upstream makes it."""
    as_shipped: bool = False
    """Of `process`: programs as upstream ships them; else they are small at rest, as WECs of a manager are."""
    shard_size: int = Field(default=25, ge=1, le=1000)
    """Control planes in one dense process."""
    first_port: int = Field(default=0, ge=0, le=65_000)
    """Of the API servers, one each; 0: the port registry chooses."""
    kplane: Kplane | None = None

    @field_validator("clusters")
    @classmethod
    def _counts(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value):
            raise ValueError("each count once")
        if 0 not in value or len(value) < LEAST_COUNTS or min(value) < 0:
            raise ValueError("write 0 and at least three more counts: a slope over fewer has no error that can be seen")
        return sorted(value)

    @model_validator(mode="after")
    def _belongs(self) -> DensityFile:
        if (self.target == "kplane") != (self.kplane is not None):
            raise ValueError("target kplane needs `kplane: {binary: PATH, sha256: HEX}`, and no other target does")
        if self.as_shipped and self.target != "process":
            raise ValueError("as_shipped: true is for target process: no other has programs made small at rest")
        if not self.dense_sharing and self.target != "dense":
            raise ValueError("dense_sharing: false is for target dense: no other shares anything")
        return self

    @property
    def loaded(self) -> bool:
        """Its scenario has a load."""
        return self.scenario != "bootstrap"

    def hot(self, count: int) -> int:
        """How many of so many control planes are loaded: at least one of any."""
        if not self.loaded or count == 0:
            return 0
        if self.scenario == "mixed-uniform":
            return count
        return max(1, round(count * self.traffic.hot_percent / 100))
