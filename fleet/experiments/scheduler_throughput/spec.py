"""The file of scheduler-throughput."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from fleet.model.base import Model, Name
from fleet.model.experiment_file import ExperimentFile, Timeouts

Load = Literal["one-group", "five-groups", "twenty-five-groups", "taints", "affinity", "priority"]
GROUPS: Mapping[str, int] = {"one-group": 1, "five-groups": 5, "twenty-five-groups": 25}
"""Of a load that is about nothing but its size."""
LOADS: tuple[Load, ...] = ("one-group", "five-groups", "twenty-five-groups", "taints", "affinity", "priority")
QPS, BURST = 50.0, 100
"""What kube-scheduler has where nothing else is configured (v1.34, `clientConnection`)."""
OURS = frozenset({"apiVersion", "kind", "clientConnection", "leaderElection", "profiles"})
"""Fields of a scheduler's configuration that this experiment writes."""


class Scheduler(Model):
    """One scheduler that is measured: kube-scheduler with a configuration of its own, or a program of the user's."""

    name: Name
    qps: float = Field(default=QPS, gt=0, le=100_000)
    """Of its client, requests per second."""
    burst: int = Field(default=BURST, ge=1, le=1_000_000)
    """Requests at once."""
    profile: dict[str, Any] = Field(default_factory=dict)
    """Fields of its one profile, as in a KubeSchedulerConfiguration: plugins, pluginConfig and so on."""
    configuration: dict[str, Any] = Field(default_factory=dict)
    """Other fields of the KubeSchedulerConfiguration, such as parallelism."""
    scheduler_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]{0,61}[a-z0-9]$")] | None = None
    """What pods write as schedulerName; none: `fleet-` and the name."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Of its pods, besides: by which another program between them and the scheduler knows them, such as a queue's."""
    objects: list[dict[str, Any]] = Field(default_factory=list)
    """Manifests that are there while its pods are, in this order; those of namespaces come into the run's own."""
    binary: str = ""
    """Absolute path of a program of the user's in place of kube-scheduler."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of that program's file; nothing else is run."""
    arguments: list[str] = Field(default_factory=list)
    """Of that program where it takes no KubeSchedulerConfiguration; {kubeconfig}, {scheduler_name}, {qps} and {burst}
    are filled in."""
    groups: list[str] = Field(default_factory=list)
    """Kubernetes groups of its client certificate, alongside the user system:kube-scheduler."""

    @property
    def pods_name(self) -> str:
        """The schedulerName of its pods."""
        return self.scheduler_name or f"fleet-{self.name}"

    @property
    def component(self) -> str:
        """How its program is called in what is measured, without its WEC."""
        return f"scheduler-{self.name}"

    @property
    def configured(self) -> bool:
        """It reads a KubeSchedulerConfiguration and serves kube-scheduler's metrics."""
        return not self.arguments

    @model_validator(mode="after")
    def _whole(self) -> Scheduler:
        if bool(self.binary) != bool(self.sha256):
            raise ValueError(f"{self.name}: a program of your own needs both `binary` and `sha256`")
        if self.arguments and not self.binary:
            raise ValueError(f"{self.name}: `arguments` are for a program of your own: add `binary` and `sha256`")
        if self.arguments and (self.profile or self.configuration):
            raise ValueError(f"{self.name}: with `arguments` it reads no configuration: leave them or the others out")
        if ours := sorted(OURS & set(self.configuration)):
            raise ValueError(f"{self.name}: configuration: {ours[0]} is written by this experiment")
        if "schedulerName" in self.profile:
            raise ValueError(f"{self.name}: profile: write `scheduler_name` instead of schedulerName")
        if self.scheduler_name == "default-scheduler":
            raise ValueError(f"{self.name}: scheduler_name: the WEC's own scheduler takes pods of default-scheduler")
        return self


def standard() -> list[Scheduler]:
    """kube-scheduler as it is, with limits that do not bind, and with a profile that packs nodes."""
    packs = {"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "cpu"}, {"name": "memory"}]}}
    return [
        Scheduler(name="default"),
        Scheduler(name="raised", qps=5000, burst=5000),
        Scheduler(
            name="packing", qps=5000, burst=5000,
            profile={"pluginConfig": [{"name": "NodeResourcesFit", "args": packs}]},
        ),
    ]  # fmt: skip


class SchedulerThroughput(ExperimentFile):
    """So many pods that wait, then a scheduler; each scheduler under each load."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "pods": 300, "loads": ["one-group"], "sample_interval": "1s", "repeats": 1, "warmup": 0
    }  # fmt: skip
    experiment: Literal["scheduler-throughput"]
    name: Name = "scheduler-throughput"
    schedulers: list[Scheduler] = Field(default_factory=standard, min_length=1)
    """Each is a process of its own, one at a time; the WEC's own scheduler gets none of the pods."""
    loads: list[Load] = Field(default_factory=lambda: list(LOADS), min_length=1)
    """groups: pods alike, in so many groups. taints: each pod fits one node. affinity: to nodes and to other pods.
    priority: of several classes."""
    pods: int = Field(default=2000, ge=10, le=100_000)
    """Of one trial."""
    by: Literal["pod", "deployment"] = "pod"
    """What the driver creates: the pods themselves, or one Deployment per group (loads in groups only), whose pods
    kube-controller-manager creates."""
    start: Literal["after", "before"] = "after"
    """`after`: the scheduler is started when all pods are there. `before`: it runs while they are created."""
    writers: int = Field(default=16, ge=1, le=500)
    """Creations that are unanswered at once."""
    classes: int = Field(default=10, ge=1, le=100)
    """PriorityClasses of the load `priority`."""
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    timeouts: Timeouts = Timeouts(object=900.0, clean=300.0)

    @field_validator("schedulers")
    @classmethod
    def _named_once(cls, value: list[Scheduler]) -> list[Scheduler]:
        for what in ("name", "pods_name"):
            found = [getattr(one, what) for one in value]
            if twice := next((name for name in found if found.count(name) > 1), None):
                raise ValueError(f"two schedulers have the name {twice!r}")
        return value

    @field_validator("loads")
    @classmethod
    def _once(cls, value: list[Load]) -> list[Load]:
        if len(set(value)) != len(value):
            raise ValueError("each load once")
        return value

    @model_validator(mode="after")
    def _can_be(self) -> SchedulerThroughput:
        single = [load for load in self.loads if load not in GROUPS]
        if self.by == "deployment" and single:
            raise ValueError(f"by: the load {single[0]} has no two pods alike: write `by: pod`, or leave that load out")
        if (most := max((GROUPS.get(load, 1) for load in self.loads), default=1)) > self.pods:
            raise ValueError(f"pods: {self.pods} are fewer than the {most} groups of a load")
        return self
