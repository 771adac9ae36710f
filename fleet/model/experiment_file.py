"""The experiment file: what a user copies, edits and runs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field, field_validator, model_validator

from fleet.model import kinds
from fleet.model.base import Model, Name
from fleet.model.duration import Duration, Moment, parse_duration
from fleet.model.during import DuringEntry
from fleet.model.load_shape import LoadShape, ParallelismLimitedLoad

Layout = Literal["one-to-one", "one-to-many"]
if TYPE_CHECKING:
    WorkloadKind = str
else:
    WorkloadKind = Literal[tuple(kinds.WRITABLE)]
ProfileKind = Literal["heap", "goroutine", "cpu"]

ANNOTATION_BYTES = 200_000
"""Kubernetes allows 256 KiB of annotations per object; some are ours and the manager's."""

COUNTED = ("fights", "leaks")
"""Findings that a threshold may bound: `{stage: fights, test: "count <= 0"}`."""

_COUNT = re.compile(r"[0-9]{1,9}")
_THRESHOLD = re.compile(r"^(p50|p90|p99|max|missing|count) *(<=?) *(\S+)$")
_NUMBERS = ("missing", "count")
"""Tests whose limit is a whole number; the others' are durations."""


class Workload(Model):
    """What every policy selects."""

    kind: WorkloadKind = "deployment"
    """Kind of the objects; of a pod no status is aggregated, a configmap has none."""
    objects: int = Field(default=1, ge=1, le=10_000)
    """Objects per policy; of a profile, copies of it."""
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
        kind = kinds.WRITABLE[self.kind]
        if self.lifetime is not None and not kind.completes and self.profile is None:
            able = " and ".join(f"{other.name}s" for other in kinds.WRITABLE.values() if other.completes)
            raise ValueError(f"lifetime is for {able}, and kind is {self.kind}")
        if self.bytes > ANNOTATION_BYTES and not kind.data:
            raise ValueError(f"bytes: {self.bytes} do not fit the annotations of a {self.kind} ({ANNOTATION_BYTES})")
        return self


class Timeouts(Model):
    """How long the run waits before it calls something missing."""

    settle: Duration = 300.0
    """For the policies to be settled and the watches to be quiet."""
    object: Duration = 600.0
    """From a trial's first send until every object is complete."""
    clean: Duration = 300.0
    """For the objects of a trial to be gone from every WEC."""


class Profiles(Model):
    """Profiles of the programs while the run goes on. Off by default: taking them disturbs what is measured."""

    enabled: bool = False
    """Whether profiles are taken."""
    interval: Duration = 300.0
    """From one round to the next; one more is taken at the end."""
    kinds: list[ProfileKind] = Field(default=["heap"], min_length=1)
    """`heap`, `goroutine`, `cpu`."""
    seconds: Duration = 10.0
    """Length of a CPU profile."""
    programs: list[str] = Field(default_factory=list)
    """Programs, components or clusters, such as `kube-apiserver.wec001`, `etcd`, `wec001`; none: all with profiles."""


class Bound(NamedTuple):
    """A threshold's test, taken apart."""

    name: str
    sign: str
    limit: float
    """Seconds; for `missing` and `count` a number."""

    def holds(self, value: float) -> bool:
        """Whether the value is within it."""
        return value < self.limit if self.sign == "<" else value <= self.limit


class Threshold(Model):
    """`downsync: p99 < 2s`: fails the run with exit code 3."""

    stage: str
    """A stage, or `fights` or `leaks`."""
    test: str
    """`p50`, `p90`, `p99`, `max`, `missing` or `count`, then `<` or `<=`, then a duration or a number."""

    @model_validator(mode="after")
    def _counted(self) -> Threshold:
        if self.test.startswith("count") != (self.stage in COUNTED):
            raise ValueError(f"the test `count` is for {' and '.join(COUNTED)}, the others are for stages")
        return self

    @field_validator("test")
    @classmethod
    def _grammar(cls, value: str) -> str:
        parts = _THRESHOLD.match(value)
        if not parts:
            raise ValueError(f"{value!r} is not a threshold: write for example `p99 < 2s` or `missing <= 0`")
        name, limit = parts[1], parts[3]
        counted = name in _NUMBERS
        if counted and not _COUNT.fullmatch(limit):
            raise ValueError(f"{limit!r} is not a count: write for example `{name} <= 0`")
        if not counted and not math.isfinite(parse_duration(limit)):
            raise ValueError(f"{limit!r} is too long: write for example `p99 < 2s`")
        return value

    @property
    def bound(self) -> Bound:
        """The test, taken apart; its grammar was checked when this was made."""
        name, sign, limit = _THRESHOLD.findall(self.test)[0]
        return Bound(name, sign, float(limit) if name in _NUMBERS else parse_duration(limit))


class ExperimentFile(Model):
    """What the file of every experiment has, whatever it is about; each experiment adds its own fields."""

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Dotted fields and their values in the form that takes less than two minutes (`--quick`)."""

    format: Literal[1] = 1
    """1: first format (0.1.0)."""
    experiment: str
    """Which experiment: the steps and the sweep that the program knows by this name."""
    name: Name
    """Name of the results' folder, `results/<name>/`."""
    description: str = ""
    """For people; shown in the report."""
    repeats: int = Field(default=3, ge=1, le=1000)
    """Counted trials of each setting. A p99 needs at least 100 samples."""
    warmup: int = Field(default=1, ge=0, le=100)
    """Trials of each setting that are run first and not counted."""
    sample_interval: Duration = 5.0
    """How often processes are measured and metrics scraped during a trial."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Of the order of the groups; what JSON readers take for a whole number."""
    timeouts: Timeouts = Timeouts()
    profiles: Profiles = Profiles()
    thresholds: list[Threshold] = Field(default_factory=list)
    """Tests that fail the run with exit code 3."""
    during: list[DuringEntry] = Field(default_factory=list, max_length=100)
    """What is done to the fleet alongside the load of each counted trial."""


class PolicyExperiment(ExperimentFile):
    """What the file of an experiment has that distributes a workload to WECs: layouts, counts, workload, load."""

    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "all"
    """WEC counts to sweep; `all`: 1, 5, 10, 20, 50, 100 as far as the fleet goes, and its size; `fleet`: its size."""
    layouts: list[Layout] = Field(default=["one-to-one", "one-to-many"])
    """`one-to-one`: a policy per WEC; `one-to-many`: one policy for all."""
    workload: Workload = Workload()
    load: LoadShape = LoadShape(parallelismLimitedLoad=ParallelismLimitedLoad(parallelismLimit=32))
    """When each object of a trial is sent. 32 unanswered: an API server's own limit is 200 mutating requests."""
    quiet: Duration = 5.0
    """Settled: nothing that is watched changed for this long, more than twice what the manager may hold back."""
    after: Moment = 0.0
    """How long a trial is watched on after its load has ended: what is still written then, somebody fights over."""

    @field_validator("layouts")
    @classmethod
    def _each_once(cls, value: list[Layout]) -> list[Layout]:
        if not value:
            raise ValueError("name at least one layout, one-to-one or one-to-many")
        if len(set(value)) != len(value):
            raise ValueError("each layout once")
        return value

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


class RecordedExperiment(ExperimentFile):
    """An experiment as `run.json` has it: readable when nobody knows the experiment any more, its own fields kept."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    wecs: list[int] | str = Field(default="", exclude_if=lambda wecs: wecs == "")
    """As `PolicyExperiment` has it; this and the following are empty of an experiment that distributes nothing."""
    layouts: list[str] = Field(default_factory=list, exclude_if=lambda layouts: not layouts)
    workload: Workload | None = None
    load: LoadShape | None = None
    quiet: Duration | None = None
    after: Moment | None = None

    def own(self, field: str) -> Any:
        """A field that only this experiment has, as it was written; None when it has none of that name."""
        return (self.model_extra or {}).get(field)
