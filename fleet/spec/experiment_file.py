"""The experiment file: what a user copies, edits and runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.spec.base import Model, Name
from fleet.spec.duration import Duration, Moment
from fleet.spec.load_shape import LoadShape, ParallelismLimitedLoad

Layout = Literal["one-to-one", "one-to-many"]
WorkloadKind = Literal["deployment", "pod", "configmap"]

ANNOTATION_BYTES = 200_000
"""Kubernetes allows 256 KiB of annotations per object; some are ours and KubeStellar's."""

COUNTED = ("fights", "leaks")
"""Findings that a threshold may bound: `{stage: fights, test: "count <= 0"}`."""

_THRESHOLD = re.compile(r"^(p50|p90|p99|max|missing|count) *(<=?) *(\S+)$")


class Workload(Model):
    """What every policy selects."""

    kind: WorkloadKind = "deployment"
    objects: int = Field(default=1, ge=1, le=10_000)
    """Objects per BindingPolicy; of a profile, copies of it."""
    pods: int = Field(default=1, ge=0, le=1000)
    """Replicas of a Deployment."""
    bytes: int = Field(default=0, ge=0, le=1_000_000)
    """Random characters that each object carries besides."""
    lifetime: Duration | None = None
    """Of a pod: how long after it is ready it completes; None: never."""
    profile: str | None = Field(default=None, min_length=1, max_length=4096)
    """In place of `kind`: a folder of templates, by its name in experiments/templates/ or by its path."""

    @model_validator(mode="after")
    def _fits(self) -> Workload:
        if self.lifetime is not None and self.kind != "pod" and self.profile is None:
            raise ValueError(f"lifetime is for pods, and kind is {self.kind}")
        if self.bytes > ANNOTATION_BYTES and self.kind != "configmap":
            raise ValueError(f"bytes: {self.bytes} do not fit the annotations of a {self.kind} ({ANNOTATION_BYTES})")
        return self


class Timeouts(Model):
    """How long the run waits before it calls something missing."""

    settle: Duration = 300.0
    """For the policies to be bound and the Bindings to be quiet."""
    object: Duration = 600.0
    """From a trial's first send until every object is complete."""
    clean: Duration = 300.0
    """For the objects of a trial to be gone from every WEC."""


class Threshold(Model):
    """`downsync: p99 < 2s`: fails the run with exit code 3."""

    stage: str
    test: str

    @model_validator(mode="after")
    def _counted(self) -> Threshold:
        if self.test.startswith("count") != (self.stage in COUNTED):
            raise ValueError(f"the test `count` is for {' and '.join(COUNTED)}, the others are for stages")
        return self

    @field_validator("test")
    @classmethod
    def _grammar(cls, value: str) -> str:
        if not _THRESHOLD.match(value):
            raise ValueError(f"{value!r} is not a threshold: write for example `p99 < 2s` or `missing <= 0`")
        return value


class ExperimentFile(Model):
    """What every experiment file has; `fleet.spec.experiments` adds what each experiment is about."""

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Dotted fields and their values in the form that takes less than two minutes (`--quick`)."""

    format: Literal[1] = 1
    """1: first format (0.1.0)."""
    experiment: str
    name: Name
    description: str = ""
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "all"
    """WEC counts to sweep; `all`: 1, 5, 10, 20, 50, 100 as far as the fleet goes, and its size; `fleet`: its size."""
    layouts: list[Layout] = Field(default=["one-to-one", "one-to-many"], min_length=1)
    workload: Workload = Workload()
    load: LoadShape = LoadShape(parallelismLimitedLoad=ParallelismLimitedLoad(parallelismLimit=32))
    """When each object of a trial is sent. 32 unanswered: the WDS API server's own limit is 200 mutating requests."""
    repeats: int = Field(default=3, ge=1, le=1000)
    warmup: int = Field(default=1, ge=0, le=100)
    """Trials per layout and WEC count that are run first and not counted."""
    quiet: Duration = 5.0
    """Settled: no Binding or ManifestWork changed for this long, more than twice KubeStellar's 2 s hold-back."""
    after: Moment = 0.0
    """How long a trial is watched on after its load has ended: what is still written then, somebody fights over."""
    sample_interval: Duration = 5.0
    """How often processes are weighed and metrics scraped during a trial."""
    seed: int = 1
    timeouts: Timeouts = Timeouts()
    thresholds: list[Threshold] = Field(default_factory=list)

    @field_validator("wecs")
    @classmethod
    def _distinct(cls, value: list[int] | str) -> list[int] | str:
        if isinstance(value, list):
            if not value:
                raise ValueError("name at least one WEC count, or write `all`")
            if len(set(value)) != len(value):
                raise ValueError("each WEC count once")
            return sorted(value)
        return value
