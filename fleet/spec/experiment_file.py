"""The experiment file: what a user copies, edits and runs."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from fleet.spec.base import Model, Name

Layout = Literal["one-to-one", "one-to-many"]
WorkloadKind = Literal["deployment", "pod", "configmap"]
ProfileKind = Literal["heap", "goroutine", "cpu"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_COUNT = re.compile(r"[0-9]{1,9}")
_THRESHOLD = re.compile(r"^(p50|p90|p99|max|missing) *(<=?) *(\S+)$")


def parse_duration(value: Any) -> float:
    """Seconds of a Go duration such as `1h2m3s`, `500ms`; a bare number is refused because its unit is a guess."""
    if isinstance(value, float):
        return value
    if not isinstance(value, str):
        raise ValueError("a duration is a number with a unit, such as 30s, 5m or 1h30m")
    if not value or _DURATION.sub("", value):
        raise ValueError(f"{value!r} is not a duration: write 500ms, 30s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(value))


Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=7 * 24 * 3600)]
"""Seconds; written as a Go duration, at most seven days."""


class Workload(Model):
    """What every policy selects."""

    kind: WorkloadKind = "deployment"
    objects: int = Field(default=1, ge=1, le=10_000)
    """Objects per BindingPolicy."""
    pods: int = Field(default=1, ge=0, le=1000)
    """Replicas of a Deployment."""


class Timeouts(Model):
    """How long the run waits before it calls something missing."""

    settle: Duration = 300.0
    """For the policies to be bound and the Bindings to be quiet."""
    object: Duration = 600.0
    """From a trial's first send until every object is complete."""
    clean: Duration = 300.0
    """For the objects of a trial to be gone from every WEC."""


class Profiles(Model):
    """Profiles of the programs while the run goes on. Off by default: taking them disturbs what is measured."""

    enabled: bool = False
    interval: Duration = 300.0
    """From one round to the next; one more is taken at the end."""
    kinds: list[ProfileKind] = Field(default=["heap"], min_length=1)
    seconds: Duration = 10.0
    """Length of a CPU profile."""
    programs: list[str] = Field(default_factory=list)
    """Programs, components or clusters, such as `transport.wds1`, `ocm-agent`, `its1`; none: all with profiles."""


class Threshold(Model):
    """`downsync: p99 < 2s`: fails the run with exit code 3."""

    stage: str
    test: str

    @field_validator("test")
    @classmethod
    def _grammar(cls, value: str) -> str:
        parts = _THRESHOLD.match(value)
        if not parts:
            raise ValueError(f"{value!r} is not a threshold: write for example `p99 < 2s` or `missing <= 0`")
        name, limit = parts[1], parts[3]
        if name == "missing" and not _COUNT.fullmatch(limit):
            raise ValueError(f"{limit!r} is not a count: write for example `missing <= 0`")
        if name != "missing" and not math.isfinite(parse_duration(limit)):
            raise ValueError(f"{limit!r} is too long: write for example `p99 < 2s`")
        return value


class ExperimentFile(Model):
    """The whole of an experiment file."""

    format: Literal[1] = 1
    """1: first format (0.1.0)."""
    experiment: Literal["wec-scaling"]
    name: Name = "wec-scaling"
    description: str = ""
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all"] = "all"
    """WEC counts to sweep; `all` is 1, 5, 10, 20, 50, 100 as far as the fleet goes, and its size."""
    layouts: list[Layout] = Field(default=["one-to-one", "one-to-many"])
    workload: Workload = Workload()
    repeats: int = Field(default=3, ge=1, le=1000)
    warmup: int = Field(default=1, ge=0, le=100)
    """Trials per layout and WEC count that are run first and not counted."""
    quiet: Duration = 5.0
    """Settled: no Binding or ManifestWork changed for this long, more than twice KubeStellar's 2 s hold-back."""
    sample_interval: Duration = 5.0
    """How often processes are weighed and metrics scraped during a trial."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Of the order of the groups; what JSON readers take for a whole number."""
    timeouts: Timeouts = Timeouts()
    profiles: Profiles = Profiles()
    thresholds: list[Threshold] = Field(default_factory=list)

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
